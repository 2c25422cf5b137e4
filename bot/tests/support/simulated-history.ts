/** Simulated history: what a simulated run did, and which promises it broke. */

export interface History {
  /** By chat: the updates in their order. */
  readonly expected: readonly (readonly string[])[];
  /** Effects of durable steps, in the order in which they were committed. */
  readonly effects: readonly { readonly chat: number; readonly key: string }[];
  /** Sends in their order, and which process made them. */
  readonly sent: readonly {
    readonly chat: number;
    readonly key: string;
    readonly process: number;
  }[];
  /** Messages still in the queue at the end. */
  readonly left: number;
}

/** @returns one sentence for every promise broken; empty when all were kept. */
export function findBrokenPromises({ effects, expected, left, sent }: History): string[] {
  const broken: string[] = [];
  if (left !== 0) broken.push(`${left} messages never left the queue`);
  for (const [chat, updates] of expected.entries()) {
    const done = effects.filter((effect) => effect.chat === chat).map(({ key }) => key);
    if (done.join() !== updates.join()) {
      broken.push(`chat ${chat}: effects ${done.join()} instead of ${updates.join()}`);
    }
    const replies = sent.filter((send) => send.chat === chat);
    // Sent, and the process died before it could note that: the next one must send it again.
    const once = replies.filter((send, index) => {
      const before = replies[index - 1];
      return before?.key !== send.key || before.process === send.process;
    });
    const wanted = updates.flatMap((key) => [`${key}/step`, `${key}/done`]).join();
    const got = once.map(({ key }) => key).join();
    if (got !== wanted) broken.push(`chat ${chat}: replies ${got} instead of ${wanted}`);
  }
  return broken;
}
