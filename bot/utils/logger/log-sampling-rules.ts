/**
 * Log sampling: which of many lines that say the same are written.
 *
 * Of one kind the first five within a minute are written in full, then every hundredth, with the
 * number of those that were not. No count is ever lost: what was left out is told by the next line
 * that is written, or by whoever asks after the minute is over. Pure.
 */

/** What is known of one kind of line. */
export interface SampleWindow {
  readonly startedAtMs: number;
  /** Within this minute, written or not. */
  readonly lines: number;
  /** Not written, and not told yet. */
  readonly suppressed: number;
}

export interface SampleVerdict {
  readonly write: boolean;
  /** Lines left out before this one, to be told with it; 0 when it is not written. */
  readonly suppressed: number;
  /** To be given for the next line of this kind. */
  readonly window: SampleWindow;
}

export const sampleRules = { windowMs: 60_000, inFull: 5, thenOneIn: 100 } as const;

/** @param window `undefined`: the first line of its kind. @param nowMs Monotonic. */
export function decideSample(window: SampleWindow | undefined, nowMs: number): SampleVerdict {
  const current = window && !isWindowOver(window, nowMs) ? window : undefined;
  const startedAtMs = current?.startedAtMs ?? nowMs;
  const lines = (current?.lines ?? 0) + 1;
  const suppressed = window?.suppressed ?? 0;
  const beyond = lines - sampleRules.inFull;
  if (beyond <= 0 || beyond % sampleRules.thenOneIn === 0) {
    return { write: true, suppressed, window: { startedAtMs, lines, suppressed: 0 } };
  }
  const next = { startedAtMs, lines, suppressed: suppressed + 1 };
  return { write: false, suppressed: 0, window: next };
}

/** Whether the next line of this kind begins a new minute. */
export function isWindowOver({ startedAtMs }: SampleWindow, nowMs: number): boolean {
  return nowMs - startedAtMs >= sampleRules.windowMs;
}
