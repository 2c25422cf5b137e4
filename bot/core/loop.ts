/**
 * Loop: work that goes on until it is stopped, with waits between its turns.
 *
 *   readonly #loop = new Loop(clock, async (loop) => {
 *     while (await loop.wait(5_000)) await this.#look(loop.signal);
 *   });
 *
 * Embedded by the components that work by themselves. Owns the stop signal, the one running promise,
 * the heartbeat and the wait. A loop lives once: it cannot be started again after a stop.
 */
import { type Clock, waitOver } from "./clock.ts";
import { type Heartbeat, Pulse } from "./heartbeat.ts";

export class Loop {
  readonly #clock: Clock;
  readonly #run: (loop: Loop) => Promise<void>;
  readonly #stopping = new AbortController();
  readonly #pulse: Pulse;
  #running: Promise<void> | undefined;
  #waiting: AbortController | undefined;
  #woken = false;

  /**
   * @param run Called once, at the start. Returns when `wait` says so, or earlier when nothing is left
   *   to do. What it throws is a defect: it becomes an unhandled rejection, and the heartbeat goes
   *   overdue.
   */
  constructor(clock: Clock, run: (loop: Loop) => Promise<void>) {
    this.#clock = clock;
    this.#run = run;
    this.#pulse = new Pulse(clock);
  }

  /** Aborts at `stop`. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Whether `stop` was called. */
  get stopped(): boolean {
    return this.signal.aborted;
  }

  /** One beat per wait; overdue when a turn takes far longer than it may; never once it has ended. */
  get heartbeat(): Heartbeat {
    return this.#pulse.heartbeat;
  }

  /** Begins to run. Does nothing when it runs already or was stopped. */
  start(): void {
    if (this.#running || this.stopped) return;
    this.#running = new Promise((resolve) => {
      void this.#runToEnd().finally(resolve);
    });
  }

  /** Aborts the signal, ends the wait and resolves when the turn under way is over. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping.abort(waitOver);
    this.wake();
    await this.#running;
  }

  /** Ends the current wait early, or the next one when it comes during a turn. */
  wake(): void {
    this.#woken = true;
    this.#waiting?.abort(waitOver);
  }

  /**
   * Ends a turn: waits `forMs` milliseconds, at most until `wake` or `stop`. `Infinity` waits for these.
   *
   * @returns whether there is another turn; false after `stop`.
   */
  async wait(forMs: number): Promise<boolean> {
    this.#pulse.beat(forMs);
    if (!this.#woken && !this.stopped && forMs > 0) {
      this.#waiting = new AbortController();
      await this.#clock.sleep(forMs, this.#waiting.signal);
      this.#waiting = undefined;
    }
    this.#woken = false;
    this.#pulse.expect(0);
    return !this.stopped;
  }

  /** Like `wait`, but `wake` does not shorten it; the next `wait` ends at once instead. */
  async pause(forMs: number): Promise<boolean> {
    this.#pulse.beat(forMs);
    await this.#clock.sleep(forMs, this.signal);
    this.#pulse.expect(0);
    return !this.stopped;
  }

  /** Shows a beat within a turn. @param withinMs The rest takes at most so many milliseconds. */
  beat(withinMs = 0): void {
    this.#pulse.beat(withinMs);
  }

  /** The turn takes at most so many milliseconds from now on. Default of a turn: 0, a moment. */
  expect(withinMs: number): void {
    this.#pulse.expect(withinMs);
  }

  async #runToEnd(): Promise<void> {
    this.#pulse.expect(0);
    await this.#run(this);
    this.#pulse.expect(Number.POSITIVE_INFINITY);
  }
}
