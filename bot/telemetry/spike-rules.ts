/** Spikes: whether there are unusually many errors of one kind, measured against its smoothed past. */

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
