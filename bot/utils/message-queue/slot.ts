/** Slot: what one message occupies of its pool while it is worked on. */
import type { Slots } from "./slots.ts";

/** One of the pool's slots, as the work on a message sees it. */
export interface Slot {
  /** Frees the slot once only the commit is left to do: the next claim shares that commit. */
  release(): void;
  /** Lets another message use the slot while this one takes long. */
  lend(): void;
  /** Lets another message use the slot while this one waits for the store, and takes one again. */
  whileWaiting<T>(wait: () => Promise<T>): Promise<T>;
}

export interface OccupiedSlotDeps {
  /** One of these was acquired for the message. */
  readonly slots: Slots;
  readonly urgent: boolean;
  /** Called before it is lent. @returns whether it may be. */
  readonly onLend: () => boolean;
  /** Called once, when the message counts no longer among those that are worked on. */
  readonly onReleased: () => void;
}

export class OccupiedSlot implements Slot {
  readonly #deps: OccupiedSlotDeps;
  #released = false;
  #held = true;

  constructor(deps: OccupiedSlotDeps) {
    this.#deps = deps;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#free();
    this.#deps.onReleased();
  }

  lend(): void {
    if (this.#released || !this.#deps.onLend()) return;
    this.release();
  }

  async whileWaiting<T>(wait: () => Promise<T>): Promise<T> {
    // Of several waits at the same time, the first one gives the slot away.
    if (!this.#held) return wait();
    this.#free();
    try {
      return await wait();
    } finally {
      await this.#regain();
    }
  }

  #free(): void {
    if (this.#held) this.#deps.slots.release();
    this.#held = false;
  }

  #regain(): Promise<void> | undefined {
    if (this.#released) return undefined;
    const { slots, urgent } = this.#deps;
    return new Promise((resume) => {
      slots.acquire(urgent, () => {
        // It may have been given up, or lent while it waited.
        if (this.#released) slots.release();
        else this.#held = true;
        resume();
      });
    });
  }
}
