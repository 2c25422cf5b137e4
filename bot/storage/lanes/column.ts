/**
 * Column: one number for each slot, in a typed array that grows; and slots, which are used again.
 *
 * A million objects would take five times the memory and would hold up every garbage collection.
 */

type Numbers = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** Growing by a fourth leaves an eighth unused on average. */
const growth = 1.25;
const firstLength = 256;

/** A slot that was never set holds 0. */
export class Column {
  #values: Numbers;

  constructor(type: new (length: number) => Numbers) {
    this.#values = new type(firstLength);
  }

  get(slot: number): number {
    return this.#values[slot] ?? 0;
  }

  set(slot: number, value: number): void {
    if (slot >= this.#values.length) this.#grow(slot + 1);
    this.#values[slot] = value;
  }

  #grow(lengthMin: number): void {
    const type = this.#values.constructor as new (length: number) => Numbers;
    const grown = new type(Math.max(lengthMin, Math.ceil(this.#values.length * growth)));
    grown.set(this.#values);
    this.#values = grown;
  }
}

/** Numbers the slots of some columns. */
export class Slots {
  readonly #freed: number[] = [];
  #end = 0;

  /** Every slot in use is below this. */
  get end(): number {
    return this.#end;
  }

  take(): number {
    return this.#freed.pop() ?? this.#end++;
  }

  free(slot: number): void {
    this.#freed.push(slot);
  }
}
