/**
 * Safe mode: makes a process that keeps dying soon after its start begin more carefully.
 *
 * After several unclean ends in a row, each within ten minutes of the start, the next process holds
 * back intake and work for 10 s, then 20, 40, … at most 300 s. Ten healthy minutes end safe mode.
 * PM2 gives up for good on an early crash loop and never on a late one (measured), so the bot does
 * not rely on it. Source of the curve: Kubernetes, CrashLoopBackOff.
 */
import type { Random } from "../../core/clock.ts";

/** One run of the process, from the ledger. */
export interface Life {
  readonly startedAtEpochMs: number;
  readonly endedAtEpochMs: number;
  /** False when it ended without a record, or because of a defect. */
  readonly clean: boolean;
}

export const safeModeRules = {
  /** A process that ran this long was healthy; also the time after which safe mode ends. */
  healthyMs: 600_000,
  holdInitialMs: 10_000,
  holdMaxMs: 300_000,
} as const;

export type SafeModeVerdict =
  | { readonly safe: false }
  | { readonly safe: true; readonly deaths: number; readonly holdMs: number };

/**
 * Decides whether the process starts in safe mode, and for how long work is held back.
 *
 * @param lives The runs before this one, oldest first.
 * @param deathsMax Number of unclean ends in a row from which safe mode applies.
 */
export function decideSafeMode(
  lives: readonly Life[],
  deathsMax: number,
  nowEpochMs: number,
  random: Random,
): SafeModeVerdict {
  const { healthyMs, holdInitialMs, holdMaxMs } = safeModeRules;
  let deaths = 0;
  let nextStartMs = nowEpochMs;
  for (const life of lives.toReversed()) {
    const short = life.endedAtEpochMs - life.startedAtEpochMs < healthyMs;
    const soon = nextStartMs - life.endedAtEpochMs < healthyMs;
    if (life.clean || !short || !soon) break;
    deaths++;
    nextStartMs = life.startedAtEpochMs;
  }
  if (deaths < deathsMax) return { safe: false };
  const boundMs = Math.min(holdMaxMs, holdInitialMs * 2 ** Math.min(deaths - deathsMax, 10));
  // Jitter applies to one half only, because a hold of zero would not hold anything back.
  return { safe: true, deaths, holdMs: Math.round(boundMs * (0.5 + random() / 2)) };
}
