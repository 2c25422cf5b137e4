/** LRU map: a map with a limit, for what is worth remembering only while it is used. */

/** Keeps `max` keys: the one that was set longest ago goes first. Iterates in this order. */
export class LruMap<K, V> extends Map<K, V> {
  readonly #max: number;
  readonly #onFull: (value: V) => void;

  /** @param onFull Called with what goes because another key came; not with what is deleted. */
  constructor(max: number, onFull: (value: V) => void = () => {}) {
    super();
    this.#max = max;
    this.#onFull = onFull;
  }

  override set(key: K, value: V): this {
    // Deleted first, because a map keeps the place of a key that is set again.
    this.delete(key);
    super.set(key, value);
    if (this.size <= this.#max) return this;
    const [oldest] = this;
    if (oldest) {
      this.delete(oldest[0]);
      this.#onFull(oldest[1]);
    }
    return this;
  }
}
