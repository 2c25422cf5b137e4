/**
 * Recovery: which measure is taken against which kind of trouble, the smallest one first.
 *
 * A measure that did not cure is followed by the next one; the last of a row is kept up for ever. A
 * restart of a component is limited in number (intensity) and time (period), and each is preceded by
 * a delay with full jitter.
 * Source of intensity and period: Erlang/OTP, Supervision Principles. Other than there, a restart
 * counts as a cure only when the component has proved that it works.
 */

import { type BackoffOptions, fullJitter } from "../../core/backoff.ts";
import type { Random } from "../../core/clock.ts";

export type Measure =
  /** The same again, after a back-off. */
  | "retry"
  /** A new connection, by another way when the first stays dead. */
  | "reconnect"
  /** A new instance of one component. */
  | "restart-component"
  /** Go on with less, and say so. */
  | "degrade"
  /** Hold work back for a while. */
  | "safe-mode"
  /** Drain, exit, and be started again. */
  | "restart-process";

export type Trouble =
  | "message-failed"
  | "connection-lost"
  | "component-stuck"
  | "component-failed"
  | "part-unhealthy"
  | "queue-full"
  | "disk-full"
  | "errors-spike"
  | "limit-exceeded"
  | "restart-asked-for"
  | "process-hung"
  | "process-died"
  | "process-keeps-dying";

export const strategies: Readonly<Record<Trouble, readonly [Measure, ...Measure[]]>> = {
  "message-failed": ["retry"],
  // A restart of the process does not mend a network.
  "connection-lost": ["reconnect"],
  "component-stuck": ["restart-component", "restart-process"],
  "component-failed": ["restart-component", "restart-process"],
  // The second only where a new process can make a difference (`restartAfterMs` of the probe).
  "part-unhealthy": ["degrade", "restart-process"],
  "queue-full": ["degrade"],
  "disk-full": ["retry"],
  "errors-spike": ["degrade"],
  "limit-exceeded": ["restart-process"],
  "restart-asked-for": ["restart-process"],
  "process-hung": ["restart-process"],
  "process-died": ["restart-process"],
  "process-keeps-dying": ["safe-mode"],
};

export const restartRules = {
  /** Restarts of one component within the period; one more is one too many. */
  intensity: 3,
  periodMs: 300_000,
  /** Milliseconds a restarted component has to show its first beat: a poll's deadline, and a bit. */
  provenWithinMs: 15_000,
} as const;

const delays: BackoffOptions = { initialMs: 1_000, maxMs: 10_000 };

export type RestartVerdict =
  | { readonly measure: "restart-component"; readonly delayMs: number }
  | { readonly measure: "restart-process" };

/** @param restartsAtMs When this component was restarted before, on the clock of `nowMs`. */
export function decideRestart(
  trouble: "component-stuck" | "component-failed",
  { restartable, restartsAtMs }: { restartable: boolean; restartsAtMs: readonly number[] },
  nowMs: number,
  random: Random,
): RestartVerdict {
  const recent = restartsAtMs.filter((atMs) => nowMs - atMs < restartRules.periodMs).length;
  const [first] = strategies[trouble];
  const usedUp = !restartable || recent >= restartRules.intensity;
  if (first !== "restart-component" || usedUp) return { measure: "restart-process" };
  // The first one comes at once: it is the smallest measure, and mostly the last.
  return { measure: first, delayMs: recent === 0 ? 0 : fullJitter(delays, recent, random) };
}
