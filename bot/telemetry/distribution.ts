/**
 * Distribution: counts durations in buckets that grow by 5 %, so that any number of durations takes
 * bounded memory and percentiles are accurate to within 5 %.
 */

const growth = 1.05;
/** In milliseconds; an hour and more share one bucket. */
const longestMs = 3_600_000;

export class Distribution {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param durationMs Counts as at least one millisecond. */
  record(durationMs: number): void {
    const bounded = Math.min(Math.max(1, durationMs), longestMs);
    const bucket = Math.ceil(Math.log(bounded) / Math.log(growth));
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
  }

  add(other: Distribution): void {
    for (const [bucket, count] of other.#buckets) {
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
    }
    this.#count += other.#count;
  }

  /**
   * Returns the milliseconds that this share of the durations stayed below; 0 without durations.
   *
   * @param share 0 to 1.
   */
  percentile(share: number): number {
    let seen = 0;
    for (const bucket of [...this.#buckets.keys()].sort((one, other) => one - other)) {
      seen += this.#buckets.get(bucket) ?? 0;
      if (seen >= share * this.#count) return Math.round(growth ** bucket * 10) / 10;
    }
    return 0;
  }
}
