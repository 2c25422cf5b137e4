/**
 * Restarts of components: when the next one is due, and when they no longer help.
 *
 * Restarts are limited in number (intensity) and time (period); each but the first is preceded by a
 * delay with full jitter. When they are used up, the next measure against the trouble is due.
 * Source of intensity and period: Erlang/OTP, Supervision Principles. Unlike there, a restart counts
 * as a cure only when the component has proved that it works.
 */

import { type BackoffOptions, fullJitter } from "../../core/backoff.ts";
import type { Random } from "../../core/clock.ts";
import { type Measure, measureAgainst } from "../../core/recovery.ts";

export const restartRules = {
  /** Restarts of one component within the period; one more is one too many. */
  intensity: 3,
  periodMs: 300_000,
  /** Milliseconds a restarted component has to show its first beat: a poll's deadline, and a bit. */
  provenWithinMs: 15_000,
} as const;

const delays: BackoffOptions = { initialMs: 1_000, maxMs: 10_000 };

export interface RestartVerdict {
  readonly measure: Measure;
  /** Milliseconds to wait before it. */
  readonly delayMs: number;
}

/** @param restartsAtMs When this component was restarted before, on the clock of `nowMs`. */
export function decideRestart(
  trouble: "component-stuck" | "component-failed",
  { restartable, restartsAtMs }: { restartable: boolean; restartsAtMs: readonly number[] },
  nowMs: number,
  random: Random,
): RestartVerdict {
  const recent = restartsAtMs.filter((atMs) => nowMs - atMs < restartRules.periodMs).length;
  const usedUp = !restartable || recent >= restartRules.intensity;
  const measure = measureAgainst(trouble, usedUp ? 1 : 0);
  // The first restart comes at once: it is the smallest measure, and it mostly cures.
  const waits = measure === "restart-component" && recent > 0;
  return { measure, delayMs: waits ? fullJitter(delays, recent, random) : 0 };
}
