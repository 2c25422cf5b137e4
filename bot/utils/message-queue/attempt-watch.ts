/**
 * Attempt watch: notices which attempts take long, with one timer for all of them.
 *
 * All attempts have the same limits, so those that began first are due first, and nothing has to be
 * sorted. Owns one loop, which sleeps until the oldest attempt is due.
 */
import type { Clock } from "../../core/clock.ts";
import { Loop } from "../../core/loop.ts";

/** The notices about an attempt while it runs. */
export interface WatchedAttempt {
  /** Called once, when the attempt has run for `slowMs`. Must not throw. */
  onSlow(): void;
  /** Called once, when it has run for `timeoutMs`. Must not throw. */
  onLate(): void;
}

export interface AttemptWatchDeps {
  readonly clock: Clock;
  readonly slowMs: number;
  readonly timeoutMs: number;
}

type Begun = Map<WatchedAttempt, number>;

export class AttemptWatch {
  readonly #deps: AttemptWatchDeps;
  readonly #loop: Loop;
  /** Instants at which attempts began, oldest first: those not yet slow, and those not yet late. */
  readonly #quick: Begun = new Map();
  readonly #inTime: Begun = new Map();
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: AttemptWatchDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(this.#dueInMs())) this.#tellDue();
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  begin(attempt: WatchedAttempt): void {
    const nowMs = this.#deps.clock.monotonicMs();
    // Mostly the loop wakes earlier anyway, for an attempt that began before this one.
    if (nowMs + this.#deps.slowMs < this.#wakesAtMs) this.#loop.wake();
    this.#quick.set(attempt, nowMs);
    this.#inTime.set(attempt, nowMs);
  }

  end(attempt: WatchedAttempt): void {
    this.#quick.delete(attempt);
    this.#inTime.delete(attempt);
  }

  #dueInMs(): number {
    const { clock, slowMs, timeoutMs } = this.#deps;
    const dueAtMs = Math.min(oldest(this.#quick) + slowMs, oldest(this.#inTime) + timeoutMs);
    this.#wakesAtMs = dueAtMs;
    return Math.max(0, dueAtMs - clock.monotonicMs());
  }

  #tellDue(): void {
    const { slowMs, timeoutMs } = this.#deps;
    for (const attempt of this.#takeDue(this.#quick, slowMs)) attempt.onSlow();
    for (const attempt of this.#takeDue(this.#inTime, timeoutMs)) attempt.onLate();
  }

  #takeDue(begun: Begun, limitMs: number): readonly WatchedAttempt[] {
    const nowMs = this.#deps.clock.monotonicMs();
    const due: WatchedAttempt[] = [];
    for (const [attempt, atMs] of begun) {
      if (atMs + limitMs > nowMs) break;
      begun.delete(attempt);
      due.push(attempt);
    }
    return due;
  }
}

/** When the oldest began; `Infinity` when there is none. */
function oldest(begun: Begun): number {
  for (const atMs of begun.values()) return atMs;
  return Number.POSITIVE_INFINITY;
}
