/**
 * Retention: removes log files by age and by total size.
 *
 * The rotation checks old files only when it opens a new one, and only those it has on record. This
 * checks every file with a log file's name, and nothing else. The file being written always stays.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { formatInstant } from "../../core/clock.ts";

export interface RetentionRules {
  /** Files of days before the day of this instant are removed. */
  readonly keepSinceEpochMs: number;
  /** Limit for the size of all log files together; the oldest are removed first. */
  readonly bytesMax: number;
  /** Path of the file being written. Default: the newest. */
  readonly writing: string | undefined;
}

/** Files removed because of their size although they were not too old. */
export interface RemovedForSize {
  readonly files: number;
  readonly bytes: number;
}

interface LogFileEntry {
  readonly path: string;
  readonly day: string;
  /** Number of the file within its day; a full file is continued in the next part. */
  readonly part: number;
}

/**
 * Removes old and excess files. Never throws: a directory that cannot be read is swept next time.
 */
export function sweepLogFiles(directory: string, rules: RetentionRules): RemovedForSize {
  const { bytesMax, keepSinceEpochMs, writing } = rules;
  const oldestDay = formatInstant(keepSinceEpochMs).slice(0, 10);
  const removed = { files: 0, bytes: 0 };
  try {
    const all = findLogFiles(directory);
    const kept = writing ?? all.at(-1)?.path;
    const files = all.filter(({ path }) => path !== kept);
    for (const { day, path } of files) if (day < oldestDay) rmSync(path, { force: true });
    const young = files.filter(({ day }) => day >= oldestDay);
    const sized = young.map(({ path }) => ({ path, bytes: statSync(path).size }));
    const keptBytes = kept !== undefined && existsSync(kept) ? statSync(kept).size : 0;
    let total = sized.reduce((sum, { bytes }) => sum + bytes, keptBytes);
    for (const { bytes, path } of sized) {
      if (total <= bytesMax) break;
      rmSync(path, { force: true });
      total -= bytes;
      removed.files++;
      removed.bytes += bytes;
    }
  } catch {
    // The directory is gone or cannot be read; the next sweep tries again.
  }
  return removed;
}

/** Returns the log files, oldest first. */
function findLogFiles(directory: string): readonly LogFileEntry[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const [, day, inner, outer] =
        /^bot-(\d{4}-\d\d-\d\d)(?:\.(\d+))?\.log(?:\.(\d+))?$/.exec(name) ?? [];
      if (day === undefined) return [];
      return [{ path: join(directory, name), day, part: Number(inner ?? outer ?? 0) }];
    })
    .sort((one, other) => one.day.localeCompare(other.day) || one.part - other.part);
}

/**
 * Removes a damaged record of the rotation: it would stop the removal of old files, or throw where
 * the error cannot be caught.
 *
 * @throws the file system's error when the record cannot be removed.
 */
export function removeUnlessSound(auditFile: string): void {
  if (!existsSync(auditFile)) return;
  try {
    const { files } = JSON.parse(readFileSync(auditFile, "utf8")) as { files: unknown[] };
    const sound = (file: unknown) =>
      typeof (file as { name: unknown }).name === "string" &&
      typeof (file as { date: unknown }).date === "number";
    if (files.every(sound)) return;
  } catch {
    // The record is not JSON or has another shape, so it is useless.
  }
  rmSync(auditFile, { recursive: true });
}
