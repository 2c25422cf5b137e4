/**
 * Error trend: which errors are the same, and when there are unusually many of one.
 *
 * Two errors are the same when code and message are, with everything that changes from case to case
 * (numbers, ids, addresses, quoted parts) left out. A spike is more within five minutes than the
 * smoothed past makes likely.
 */
import { createHash } from "node:crypto";

/** To be raised whenever the rules below change: old and new groups must not be mixed. */
const fingerprintVersion = 1;
const fingerprintLength = 12;

/** @returns twelve hexadecimal digits. */
export function fingerprintOf(error: { readonly code: string; readonly message: string }): string {
  const text = `${fingerprintVersion}\n${error.code}\n${withoutParticulars(error.message)}`;
  return createHash("sha256").update(text).digest("hex").slice(0, fingerprintLength);
}

/** The part of a message that is the same every time. */
export function withoutParticulars(message: string): string {
  return message
    .replace(/\b[a-z]+:\/\/\S+/gi, "<address>")
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, "<quoted>")
    .replace(/(?:\/[\w.-]+){2,}/g, "<path>")
    .replace(/\b[0-9a-f]{8,}\b/gi, "<id>")
    .replace(/\d+(?:\.\d+)?/g, "<n>");
}

/** The smoothed past of one kind of error. */
export interface Trend {
  /** Errors a window, and how much that varies; both smoothed. */
  readonly mean: number;
  readonly variance: number;
}

export const trendWindowMs = 5 * 60_000;
export const noTrend: Trend = { mean: 0, variance: 0 };
/** Half of it is forgotten in an hour: twelve windows. */
const weight = 1 - 0.5 ** (1 / 12);
/** Fewer within a window are never a spike. */
const spikeMin = 5;
const deviations = 4;

/** Whether so many within one window are unusual, given the windows before. */
export function isSpike({ mean, variance }: Trend, count: number): boolean {
  return count > Math.max(spikeMin, mean + deviations * Math.sqrt(variance));
}

/** The trend with one more window in it. */
export function withWindow({ mean, variance }: Trend, count: number): Trend {
  const step = count - mean;
  const next = mean + weight * step;
  return {
    mean: next,
    variance: (1 - weight) * (variance + weight * step * step),
  };
}
