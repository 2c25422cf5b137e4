/**
 * Safe mode rules: a process that follows several early deaths works at once, but more carefully.
 *
 * It handles one update at a time, so that the next death points at one update, and doubles that when
 * enough have been handled, or after a few seconds, until it is at full speed. Nothing is held back: other people must not wait for what one
 * update did. Ten healthy minutes end the watch.
 */

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
  /** Milliseconds after which twice as many updates are handled at a time. */
  stepMs: 5_000,
  /** Updates handled, for each one at a time, after which that happens at once. */
  stepUpdates: 10,
} as const;

/**
 * Unclean ends in a row before now, each after a short life and soon followed by the next start.
 *
 * @param lives The lives before this one, oldest first.
 */
export function countDeaths(lives: readonly Life[], nowEpochMs: number): number {
  const { healthyMs } = safeModeRules;
  let deaths = 0;
  let nextStartMs = nowEpochMs;
  for (const life of lives.toReversed()) {
    const short = life.endedAtEpochMs - life.startedAtEpochMs < healthyMs;
    const soon = nextStartMs - life.endedAtEpochMs < healthyMs;
    if (life.clean || !short || !soon) break;
    deaths++;
    nextStartMs = life.startedAtEpochMs;
  }
  return deaths;
}
