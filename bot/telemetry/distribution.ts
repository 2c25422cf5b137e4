/**
 * Distribution: how long things took, in buckets that grow by 5 %, so that any number of them takes
 * bounded memory and percentiles are right to within 5 %.
 */

const growth = 1.05;
/** Milliseconds; an hour and more is one bucket. */
const longestMs = 3_600_000;

export class Distribution {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param durationMs Below a millisecond counts as one. */
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
   * Milliseconds that this share of them stayed below; 0 without any.
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
