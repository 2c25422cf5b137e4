/**
 * Retention: which log files are kept, by age and by size.
 *
 * The rotation looks at old files only when it opens a new one, and only at those it knows; this looks
 * at all that bear its names, and at nothing else. The file being written always stays.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { formatInstant } from "../../core/clock.ts";

export interface RetentionRules {
  /** Files of days before this instant are removed. */
  readonly keepSinceEpochMs: number;
  /** Of all log files together; the oldest go first. */
  readonly bytesMax: number;
  /** Path of the file being written. Default: the newest. */
  readonly writing: string | undefined;
}

/** What was removed although it was not too old. */
export interface RemovedForSize {
  readonly files: number;
  readonly bytes: number;
}

interface LogFileEntry {
  readonly path: string;
  readonly day: string;
  /** A day's file is followed by more when it is full. */
  readonly part: number;
}

/** Never throws: a directory that cannot be read now is swept the next time. */
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
    // Gone, or not readable at present: an hour later it is looked at again.
  }
  return removed;
}

/** Oldest first. */
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
 * A torn record of the rotation would end old files' removal, or throw where nobody can catch it.
 *
 * @throws what the file system says when it cannot be removed.
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
    // Not JSON, or not of this shape: as good as none.
  }
  rmSync(auditFile, { recursive: true });
}
