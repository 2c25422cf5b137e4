/** Slot: what one message occupies of its pool while it is worked on. */
import type { Message } from "../../core/message.ts";
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

/** The pool, as a slot needs it. */
export interface SlotHost {
  readonly slots: Slots;
  /** Called before a slot is lent. @returns whether it may be. */
  mayLend(message: Message): boolean;
  /** Called once, when a message counts no longer among those that are worked on. */
  released(): void;
}

export class OccupiedSlot implements Slot {
  readonly #message: Message;
  readonly #host: SlotHost;
  #released = false;
  #held = true;

  /** @param host One of its slots was acquired for the message. */
  constructor(message: Message, host: SlotHost) {
    this.#message = message;
    this.#host = host;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#free();
    this.#host.released();
  }

  lend(): void {
    if (this.#released || !this.#host.mayLend(this.#message)) return;
    this.release();
  }

  async whileWaiting<T>(wait: () => Promise<T>): Promise<T> {
    // Of several waits at the same time, the first one gives the slot away.
    if (!this.#held) return wait();
    this.#free();
    try {
      return await wait();
    } finally {
      if (!this.#tryRegain()) await this.#regain();
    }
  }

  #free(): void {
    if (this.#held) this.#host.slots.release();
    this.#held = false;
  }

  /** @returns whether there is nothing to wait for. */
  #tryRegain(): boolean {
    if (this.#released) return true;
    this.#held = this.#host.slots.tryAcquire(isUrgent(this.#message));
    return this.#held;
  }

  #regain(): Promise<void> {
    const { slots } = this.#host;
    return new Promise((resume) => {
      slots.acquire(isUrgent(this.#message), () => {
        // It may have been given up, or lent while it waited.
        if (this.#released) slots.release();
        else this.#held = true;
        resume();
      });
    });
  }
}

/** Whether a message may have one of the reserved slots. */
export function isUrgent({ priority }: Message): boolean {
  return priority === "high";
}
