/**
 * Recovery: decides when a component is restarted, and when restarting it no longer helps.
 *
 * The number of restarts (intensity) within a time (period) is limited; each one after the first
 * waits for a delay with full jitter. Once they are used up, the next measure against the trouble
 * is taken. Source of intensity and period: Erlang/OTP, Supervision Principles. Unlike there, a
 * restart counts as a cure only once the component has proved that it works.
 */

import { type BackoffOptions, fullJitter } from "../../core/backoff.ts";
import type { Random } from "../../core/clock.ts";
import { type Measure, measureAgainst } from "../../core/recovery.ts";

export const restartRules = {
  /** Restarts allowed for one component within the period. */
  intensity: 3,
  periodMs: 300_000,
  /**
   * Milliseconds within which a restarted component must beat: slightly more than a poll's
   * deadline.
   */
  provenWithinMs: 15_000,
} as const;

const delays: BackoffOptions = { initialMs: 1_000, maxMs: 10_000 };

export interface RestartVerdict {
  readonly measure: Measure;
  /** Milliseconds to wait before taking the measure. */
  readonly delayMs: number;
}

/** @param restartsAtMs Times of this component's earlier restarts, on the clock of `nowMs`. */
export function decideRestart(
  trouble: "component-stuck" | "component-failed",
  { restartable, restartsAtMs }: { restartable: boolean; restartsAtMs: readonly number[] },
  nowMs: number,
  random: Random,
): RestartVerdict {
  const recent = restartsAtMs.filter((atMs) => nowMs - atMs < restartRules.periodMs).length;
  const usedUp = !restartable || recent >= restartRules.intensity;
  const measure = measureAgainst(trouble, usedUp ? 1 : 0);
  // The first restart happens at once: it is the smallest measure and usually the cure.
  const waits = measure === "restart-component" && recent > 0;
  return { measure, delayMs: waits ? fullJitter(delays, recent, random) : 0 };
}
