/**
 * Log backlog: which lines a log file still takes while its disk is behind.
 *
 * The less a line matters the sooner it is refused, so that room is always kept for what matters more;
 * beyond the last limit everything is refused, and memory stays bounded. (Queueing all and throwing
 * the unimportant out later would need a second buffer beside the stream's own.) Pure.
 */
import type { LogLevel } from "../../core/log-level.ts";

const mebibyte = 2 ** 20;

/**
 * Bytes handed over and not on disk yet, from which on lines of a level are refused. A burst within
 * one turn of the event loop must fit in: a file can take nothing before the turn ends.
 */
export const backlogBytesMax: Readonly<Record<LogLevel, number>> = {
  debug: 4 * mebibyte,
  info: 8 * mebibyte,
  warn: 12 * mebibyte,
  error: 16 * mebibyte,
};

/** An episode of refusals is over when no more than this is left: not at the very edge. */
const caughtUpBytes = mebibyte;

/** Whether a line of this level is still taken. */
export function isTaken(level: LogLevel, behindBytes: number): boolean {
  return behindBytes < backlogBytesMax[level];
}

/** Whether the disk, once behind, has caught up. */
export function isCaughtUp(behindBytes: number): boolean {
  return behindBytes <= caughtUpBytes;
}
