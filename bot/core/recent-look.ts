/** Recent look: the answer to a question that is asked often and costs something. */
import type { Clock } from "./clock.ts";

/** Milliseconds for which an answer is trusted. */
const trustedMs = 250;

/** Asks at most every 250 ms; in between it gives the last answer. */
export class RecentLook<T> {
  readonly #clock: Clock;
  readonly #ask: () => Promise<T>;
  #last: { readonly atMs: number; readonly answer: T } | undefined;

  constructor(clock: Clock, ask: () => Promise<T>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Rejects as the question does; then the next look asks again. */
  async look(): Promise<T> {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#last || nowMs - this.#last.atMs >= trustedMs) {
      this.#last = { atMs: nowMs, answer: await this.#ask() };
    }
    return this.#last.answer;
  }
}
