/**
 * Ready heap: a binary heap of lanes from which any lane can be removed.
 *
 * A lane is in one heap at most, so all heaps keep the places of their lanes in one column.
 */
import { Column } from "./column.ts";

export class ReadyHeap {
  readonly #lanes = new Column(Int32Array);
  /** The place of each lane, counted from 1; 0 for a lane that is in no heap. */
  readonly #places: Column;
  readonly #isBefore: (lane: number, other: number) => boolean;
  #size = 0;

  constructor(places: Column, isBefore: (lane: number, other: number) => boolean) {
    this.#places = places;
    this.#isBefore = isBefore;
  }

  get first(): number | undefined {
    return this.#size === 0 ? undefined : this.#lanes.get(1);
  }

  push(lane: number): void {
    this.#size++;
    this.#rise(lane, this.#size);
  }

  /** @param lane Must be in this heap, at the place its order had when it was pushed. */
  remove(lane: number): void {
    const place = this.#places.get(lane);
    const last = this.#lanes.get(this.#size);
    this.#size--;
    this.#places.set(lane, 0);
    if (last === lane) return;
    this.#rise(last, place);
    this.#sink(last, this.#places.get(last));
  }

  #rise(lane: number, from: number): void {
    let place = from;
    for (; place > 1; place >>= 1) {
      const parent = this.#lanes.get(place >> 1);
      if (!this.#isBefore(lane, parent)) break;
      this.#put(parent, place);
    }
    this.#put(lane, place);
  }

  #sink(lane: number, from: number): void {
    let place = from;
    for (;;) {
      let child = place * 2;
      if (child > this.#size) break;
      const hasSibling = child < this.#size;
      if (hasSibling && this.#isBefore(this.#lanes.get(child + 1), this.#lanes.get(child))) child++;
      const below = this.#lanes.get(child);
      if (!this.#isBefore(below, lane)) break;
      this.#put(below, place);
      place = child;
    }
    this.#put(lane, place);
  }

  #put(lane: number, place: number): void {
    this.#lanes.set(place, lane);
    this.#places.set(lane, place);
  }
}
