/** Ring: the latest so many of a kind. */

/** A list that keeps the latest `max` values; the oldest goes when another one comes. */
export class Ring<T> {
  readonly #max: number;
  readonly #values: T[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get length(): number {
    return this.#values.length;
  }

  /** A copy, oldest first. */
  get values(): readonly T[] {
    return [...this.#values];
  }

  push(value: T): void {
    if (this.#values.push(value) > this.#max) this.#values.shift();
  }

  /** At most `limit` values, latest first. */
  latest(limit: number): readonly T[] {
    return limit > 0 ? this.#values.slice(-limit).toReversed() : [];
  }
}
