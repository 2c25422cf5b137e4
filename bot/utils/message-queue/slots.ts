/** Slots: lets so many messages of a pool be worked on at a time; the others wait for their turn. */

export interface SlotsOptions {
  /** Messages worked on at a time. */
  readonly concurrency: number;
  /** Further slots, for messages of high priority alone. */
  readonly reserved: number;
}

interface Waiting {
  readonly urgent: boolean;
  readonly taken: () => void;
}

export class Slots {
  readonly #options: SlotsOptions;
  /** Those of high priority first, and then in the order in which they came. */
  readonly #waiting: Waiting[] = [];
  #used = 0;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** Takes a slot if one is free. @param urgent Whether the message is of high priority. */
  tryAcquire(urgent: boolean): boolean {
    const { concurrency, reserved } = this.#options;
    if (this.#used >= concurrency + (urgent ? reserved : 0)) return false;
    this.#used++;
    return true;
  }

  /** Calls `taken` once a slot is taken: at once, or when one becomes free. */
  acquire(urgent: boolean, taken: () => void): void {
    if (this.tryAcquire(urgent)) {
      taken();
      return;
    }
    const index = urgent ? this.#waiting.findIndex((other) => !other.urgent) : -1;
    this.#waiting.splice(index < 0 ? this.#waiting.length : index, 0, { urgent, taken });
  }

  release(): void {
    this.#used--;
    const next = this.#waiting[0];
    if (next === undefined || !this.tryAcquire(next.urgent)) return;
    this.#waiting.shift();
    next.taken();
  }
}
