/**
 * Safe mode: a process that keeps dying soon after its start begins again more carefully.
 *
 * Some unclean ends in a row, each after less than ten minutes of life, and the next process holds
 * intake and work back for 10 s, then 20, 40, … at most 300 s; never for ever. Ten healthy minutes
 * end it. PM2 would give up for good on an early crash loop and never on a late one (measured), so it
 * is not asked.
 * Source of the curve: Kubernetes, CrashLoopBackOff.
 */
import type { Random } from "../../core/clock.ts";

/** One life of the process, as the ledger has it. */
export interface Life {
  readonly startedAtEpochMs: number;
  readonly endedAtEpochMs: number;
  /** False: it died without saying so, or of a defect. */
  readonly clean: boolean;
}

export const safeModeRules = {
  /** A process that lived so long was healthy. Also: after so long safe mode is left. */
  healthyMs: 600_000,
  holdInitialMs: 10_000,
  holdMaxMs: 300_000,
} as const;

export type SafeModeVerdict =
  | { readonly safe: false }
  | { readonly safe: true; readonly deaths: number; readonly holdMs: number };

/**
 * @param lives Those before this one, oldest first.
 * @param deathsMax Unclean ends in a row that are too many.
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
  // Half of it is certain: a hold of nothing would be no hold.
  return { safe: true, deaths, holdMs: Math.round(boundMs * (0.5 + random() / 2)) };
}
