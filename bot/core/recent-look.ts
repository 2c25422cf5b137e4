/** Recent look: the answer to a question that is asked often and costs something. */
import type { Clock } from "./clock.ts";

/** Asks at most every so often; in between it gives the last answer. */
export class RecentLook<T> {
  readonly #clock: Clock;
  readonly #ask: () => Promise<T>;
  readonly #trustedMs: number;
  #last: { readonly atMs: number; readonly answer: T } | undefined;

  /** @param trustedMs Milliseconds for which an answer is trusted. Default 250. */
  constructor(clock: Clock, ask: () => Promise<T>, trustedMs = 250) {
    this.#clock = clock;
    this.#ask = ask;
    this.#trustedMs = trustedMs;
  }

  /** Rejects as the question does; then the next look asks again. */
  async look(): Promise<T> {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#last || nowMs - this.#last.atMs >= this.#trustedMs) {
      this.#last = { atMs: nowMs, answer: await this.#ask() };
    }
    return this.#last.answer;
  }
}
