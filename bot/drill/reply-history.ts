/**
 * Reply history: compares what one chat should have been sent with what the sandbox executed.
 *
 * Replies are named by a label. Neighbours in `expected` must differ, so that a repetition can be
 * told from the next reply.
 */

/** One executed send. */
export interface SeenReply {
  readonly label: string;
  /** Whether the sender may not have learnt that it was executed. */
  readonly ambiguous: boolean;
}

export interface ReplyVerdict {
  /** Replies that were expected and never came. */
  readonly missing: readonly string[];
  /** Repetitions of a reply whose first send was ambiguous: allowed, and counted. */
  readonly ambiguousDuplicates: number;
  /** Everything else that should not be there: repetitions without excuse, wrong order, strangers. */
  readonly violations: readonly string[];
}

export function checkReplies(
  expected: readonly string[],
  seen: readonly SeenReply[],
): ReplyVerdict {
  const violations: string[] = [];
  let ambiguousDuplicates = 0;
  let next = 0;
  for (const [index, reply] of seen.entries()) {
    const before = seen[index - 1];
    if (reply.label === expected[next]) {
      next++;
    } else if (before && reply.label === before.label && reply.label === expected[next - 1]) {
      if (before.ambiguous) ambiguousDuplicates++;
      else violations.push(`reply ${index} (${reply.label}) was sent again without need`);
    } else {
      violations.push(`reply ${index} is ${reply.label}, expected ${expected[next] ?? "nothing"}`);
      const found = expected.indexOf(reply.label, next);
      if (found >= 0) next = found + 1;
    }
  }
  return { missing: expected.slice(next), ambiguousDuplicates, violations };
}
