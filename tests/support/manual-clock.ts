/**
 * Manual clock: stands still until a test moves it.
 *
 * `advance` wakes sleepers one due time at a time and lets everything they start (promises,
 * `setImmediate` callbacks and syncs of a file, not other I/O) settle before the next one wakes.
 */
import type { Clock } from "../../bot/core/clock.ts";

interface Sleeper {
  readonly dueAtMs: number;
  readonly wake: () => void;
}

/**
 * More wakings than this at one time count as a loop that sleeps 0 ms forever and would hang the
 * test.
 */
const wakingsAtOneInstantMax = 10_000;
/** Turns of the event loop that settling takes. */
const settleRoundsMax = 10_000;

export class ManualClock implements Clock {
  #nowMs = 0;
  #epochAtZeroMs: number;
  readonly #sleepers = new Set<Sleeper>();

  /** @param epochMs The initial value of `epochMs()`. Default: 2026-01-01T00:00:00Z. */
  constructor(epochMs: number = Date.UTC(2026, 0, 1)) {
    this.#epochAtZeroMs = epochMs;
  }

  /** Number of sleepers that have not been woken yet. */
  get pending(): number {
    return this.#sleepers.size;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return this.#epochAtZeroMs + this.#nowMs;
  }

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        callOff();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const callOff = this.timer(delayMs, wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  timer(delayMs: number, run: () => void): () => void {
    const wake = () => {
      this.#sleepers.delete(sleeper);
      run();
    };
    const sleeper: Sleeper = { dueAtMs: this.#nowMs + Math.max(0, delayMs), wake };
    this.#sleepers.add(sleeper);
    return () => this.#sleepers.delete(sleeper);
  }

  /**
   * Lets `ms` pass and wakes every sleeper that comes due, also those that go to sleep meanwhile.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    let wakings = 0;
    await settle();
    for (;;) {
      const dueAtMs = this.#nextDueAtMs();
      if (dueAtMs > untilMs) break;
      wakings = dueAtMs > this.#nowMs ? 0 : wakings + 1;
      if (wakings > wakingsAtOneInstantMax) throw new Error("a loop sleeps 0 ms forever");
      this.#nowMs = Math.max(this.#nowMs, dueAtMs);
      for (const sleeper of [...this.#sleepers]) if (sleeper.dueAtMs === dueAtMs) sleeper.wake();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /** Sets the wall clock forward (or back) without any time passing. */
  jumpEpoch(ms: number): void {
    this.#epochAtZeroMs += ms;
  }

  #nextDueAtMs(): number {
    let dueAtMs = Number.POSITIVE_INFINITY;
    for (const sleeper of this.#sleepers) dueAtMs = Math.min(dueAtMs, sleeper.dueAtMs);
    return dueAtMs;
  }
}

/** Resolves when no promise, no `setImmediate` callback and no sync has anything left to do. */
export async function settle(): Promise<void> {
  for (let round = 0; round < settleRoundsMax; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    const active = process.getActiveResourcesInfo();
    if (active.includes("FSReqCallback")) await new Promise((resolve) => setTimeout(resolve, 1));
    else if (!active.includes("Immediate")) return;
  }
}
