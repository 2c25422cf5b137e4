/** Holds: the registry of everything that may hold work back, and what the launcher itself holds. */
import type { Clock } from "../core/clock.ts";
import { Holds, type HoldTarget } from "../core/holds.ts";
import { pools } from "../core/message.ts";

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
