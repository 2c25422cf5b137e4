/** Held while: a registry of holds with one device that a test switches. */
import type { Clock } from "../../bot/core/clock.ts";
import { Holds, type HoldTarget } from "../../bot/core/holds.ts";

/** @returns holds that hold everything back while `isHeld` returns true. */
export function heldWhile(clock: Clock, isHeld: () => boolean): Holds {
  const holds = new Holds(clock);
  const targets: readonly HoldTarget[] = ["intake", "handling", "sending", "answering"];
  const look = () => (isHeld() ? { limit: 0, sinceMs: 0, reason: "the test says so" } : undefined);
  holds.add({ kind: "held-at-start", targets, look });
  return holds;
}
