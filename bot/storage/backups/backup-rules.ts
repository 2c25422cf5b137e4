/** Backup rules: decide when the next backup is due, and when the command for one is. */

/** Backups that begin at once would only be in the way of processes that die soon after their start. */
const settledAfterMs = 120_000;
/** Milliseconds from a failure to the next attempt. */
const retryAfterMs = 900_000;

export interface BackupTimes {
  /** Milliseconds between two backups; 0: none is made by itself. */
  readonly everyMs: number;
  /** Milliseconds since the start of this process. */
  readonly upMs: number;
  /** Age of the last good backup in milliseconds; `undefined` when there is none. */
  readonly ageMs: number | undefined;
  /** Milliseconds since the last attempt of this process, if it failed. */
  readonly failedAgoMs: number | undefined;
}

/** Milliseconds until the next backup is due: 0 now, `Infinity` never. */
export function backupDueInMs({ ageMs, everyMs, failedAgoMs, upMs }: BackupTimes): number {
  if (everyMs === 0) return Number.POSITIVE_INFINITY;
  const agedInMs = ageMs === undefined ? 0 : everyMs - ageMs;
  return Math.max(0, agedInMs, waitMs({ everyMs, failedAgoMs, upMs }));
}

/**
 * Milliseconds until the command is due for a backup that it has not yet succeeded on.
 *
 * @param times `failedAgoMs`: since the command's last failure.
 */
export function commandDueInMs(times: Omit<BackupTimes, "ageMs">): number {
  return Math.max(0, waitMs(times));
}

/** Short intervals, as in tests, shorten the pauses too. */
function waitMs({ everyMs, failedAgoMs, upMs }: Omit<BackupTimes, "ageMs">): number {
  const within = (ms: number) => (everyMs === 0 ? ms : Math.min(ms, everyMs));
  const retryInMs = failedAgoMs === undefined ? 0 : within(retryAfterMs) - failedAgoMs;
  return Math.max(within(settledAfterMs) - upMs, retryInMs);
}
