/**
 * Log sampling: decides which of many alike lines are written.
 *
 * The first five lines of a kind within a minute are written, then every hundredth, with the number
 * left out before it. No count is lost: the next written line reports how many were left out, or
 * the caller reports them after the minute is over. Pure.
 */

/** The state of one kind of line. */
export interface SampleWindow {
  readonly startedAtMs: number;
  /** Lines within this minute, written or not. */
  readonly lines: number;
  /** Lines left out and not yet reported. */
  readonly suppressed: number;
}

export interface SampleVerdict {
  readonly write: boolean;
  /** Lines left out before this one, to be reported with it; 0 when it is not written. */
  readonly suppressed: number;
  /** The state to pass in for the next line of this kind. */
  readonly window: SampleWindow;
}

export const sampleRules = { windowMs: 60_000, inFull: 5, thenOneIn: 100 } as const;

/** @param window `undefined` for the first line of its kind. @param nowMs Monotonic. */
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
