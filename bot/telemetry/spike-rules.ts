/** Spikes: decides whether errors of one kind are unusually frequent, given their smoothed past. */

/** The smoothed past of one kind of error. */
export interface Trend {
  /** Errors per window and their variance, both smoothed. */
  readonly mean: number;
  readonly variance: number;
}

export const trendWindowMs = 5 * 60_000;
export const noTrend: Trend = { mean: 0, variance: 0 };
/** Half of the past is forgotten within an hour, which is twelve windows. */
const weight = 1 - 0.5 ** (1 / 12);
/** Errors in a window up to this number are never a spike. */
const spikeMin = 5;
const deviations = 4;

/** Whether `count` errors within one window are unusual, given the windows before. */
export function isSpike({ mean, variance }: Trend, count: number): boolean {
  return count > Math.max(spikeMin, mean + deviations * Math.sqrt(variance));
}

/** Returns the trend with one more window included. */
export function withWindow({ mean, variance }: Trend, count: number): Trend {
  const step = count - mean;
  const next = mean + weight * step;
  return {
    mean: next,
    variance: (1 - weight) * (variance + weight * step * step),
  };
}
