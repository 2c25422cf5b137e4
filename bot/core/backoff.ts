/** Backoff: how long to wait before trying again. */
import type { Random } from "./clock.ts";

export interface BackoffOptions {
  /** Upper bound of the first delay, in milliseconds. */
  readonly initialMs: number;
  /** Upper bound of every delay, in milliseconds. */
  readonly maxMs: number;
}

/** One more is Infinity, and 0 times that is not a number. */
const doublingsMax = 1_023;

/**
 * Milliseconds before attempt `attempt + 1`, uniform in
 * [0, min(maxMs, initialMs * 2 ** (attempt - 1))).
 *
 * @param attempt 1 after the first failure.
 * Source: "full jitter", AWS Architecture Blog, Exponential Backoff And Jitter.
 */
export function fullJitter(options: BackoffOptions, attempt: number, random: Random): number {
  const doublings = Math.min(Math.max(1, attempt) - 1, doublingsMax);
  return random() * Math.min(options.maxMs, options.initialMs * 2 ** doublings);
}
