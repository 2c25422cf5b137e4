/**
 * Log backlog: decides which lines a log file still accepts while its disk is behind.
 *
 * Less important lines are refused sooner, so that there is always room for more important ones;
 * beyond the last limit every line is refused, so that memory stays bounded. (Queueing all lines
 * and dropping the unimportant ones later would need a second buffer beside the stream's own.)
 * Pure.
 */
import type { LogLevel } from "../../core/log-level.ts";

const mebibyte = 2 ** 20;

/**
 * From this many bytes handed over but not yet on disk, lines of a level are refused. A burst
 * within one turn of the event loop must fit: a file can write nothing before the turn ends.
 */
export const backlogBytesMax: Readonly<Record<LogLevel, number>> = {
  debug: 4 * mebibyte,
  info: 8 * mebibyte,
  warn: 12 * mebibyte,
  error: 16 * mebibyte,
};

/** Refusals end only at this backlog, well below the limits, so that they do not flap. */
const caughtUpBytes = mebibyte;

/** Whether a line of this level is still accepted. */
export function isTaken(level: LogLevel, behindBytes: number): boolean {
  return behindBytes < backlogBytesMax[level];
}

/** Whether a disk that was behind has caught up. */
export function isCaughtUp(behindBytes: number): boolean {
  return behindBytes <= caughtUpBytes;
}
