/** Holds: the registry of everything that may hold work back, and what the launcher itself holds. */
import type { Clock } from "../core/clock.ts";
import { Holds, type HoldTarget, type WaitingHold } from "../core/holds.ts";
import { pools } from "../core/message.ts";
import type { MessageQueue } from "../utils/message-queue.ts";

/** All holds in force, with how long work waits because of each. */
export async function listHolds(
  holds: Holds,
  queue: MessageQueue,
  clock: Clock,
): Promise<readonly WaitingHold[]> {
  // The snapshot brings the queue's own holds up to date.
  const { pools: all } = await queue.snapshot();
  const list = await holds.list();
  return list.map((hold) => {
    // What another process does waits for that process.
    if (hold.kind === "other-process") return { ...hold, waitedMs: 0 };
    const heldMs = Math.max(0, clock.epochMs() - hold.sinceEpochMs);
    // What waits at Telegram is not known; updates may come at any time.
    const whole = hold.lane === undefined && hold.target !== "intake";
    const oldestMs = hold.target === "intake" ? heldMs : all[hold.target].oldestAgeMs;
    return { ...hold, waitedMs: Math.round(whole ? Math.min(heldMs, oldestMs) : heldMs) };
  });
}

const everything: readonly HoldTarget[] = ["intake", ...pools];

/**
 * @param looking True in a process that is started only to be looked at: it works on nothing.
 * @returns the registry, and a function to call when the process begins to stop.
 */
export function createHolds(clock: Clock, looking: boolean) {
  const holds = new Holds(clock);
  const madeAtMs = clock.monotonicMs();
  let drainingSinceMs: number | undefined;
  holds.add({
    kind: "held-at-start",
    targets: everything,
    look: () =>
      looking
        ? { limit: 0, sinceMs: madeAtMs, reason: "this process was started only to be looked at" }
        : undefined,
  });
  holds.add({
    kind: "draining",
    targets: everything,
    look: () =>
      drainingSinceMs === undefined
        ? undefined
        : { limit: 0, sinceMs: drainingSinceMs, reason: "the process stops" },
  });
  return {
    holds,
    beginDrain: () => {
      drainingSinceMs ??= clock.monotonicMs();
    },
  };
}
