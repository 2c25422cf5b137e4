/**
 * Virtual clock: the machine's time plus the sum of all advances.
 *
 * It owns every timer that a test may want to skip: long polls, pacing, expiry, latency. A frozen clock
 * moves only by `advance`, so that a test decides about every millisecond.
 */

interface Timer {
  readonly dueAtMs: number;
  readonly run: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** `setTimeout` fires at once for a longer delay. Source: Node.js documentation, timers. */
const timeoutMsMax = 2 ** 31 - 1;

export class VirtualClock {
  readonly #frozenAt: { readonly monotonicMs: number; readonly epochMs: number } | undefined;
  readonly #timers = new Set<Timer>();
  #advancedMs = 0;

  /** @param frozen True: time passes only by `advance`. */
  constructor(frozen = false) {
    this.#frozenAt = frozen
      ? { monotonicMs: performance.timeOrigin + performance.now(), epochMs: Date.now() }
      : undefined;
  }

  /** Monotonic milliseconds, comparable with `performance.timeOrigin + performance.now()` elsewhere. */
  monotonicMs(): number {
    const realMs = this.#frozenAt?.monotonicMs ?? performance.timeOrigin + performance.now();
    return realMs + this.#advancedMs;
  }

  epochMs(): number {
    return (this.#frozenAt?.epochMs ?? Date.now()) + this.#advancedMs;
  }

  /** Unix seconds, like Telegram's dates. */
  epochS(): number {
    return Math.floor(this.epochMs() / 1_000);
  }

  /** Runs once after `delayMs`. @returns a function that cancels it. */
  schedule(delayMs: number, run: () => void): () => void {
    const dueAtMs = this.monotonicMs() + Math.max(0, delayMs);
    const timer: Timer = { dueAtMs, run, handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => this.#remove(timer);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve);
    });
  }

  /** Moves forward by `ms`; every timer on the way runs at its own instant, in order. */
  advance(ms: number): void {
    const targetMs = this.monotonicMs() + ms;
    for (let next = this.#firstDue(targetMs); next; next = this.#firstDue(targetMs)) {
      this.#advancedMs += Math.max(0, next.dueAtMs - this.monotonicMs());
      this.#fire(next);
    }
    this.#advancedMs += Math.max(0, targetMs - this.monotonicMs());
    for (const timer of this.#timers) this.#arm(timer);
  }

  /** Cancels every timer. */
  stop(): void {
    for (const timer of this.#timers) this.#remove(timer);
  }

  #firstDue(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAtMs > untilMs) continue;
      if (!first || timer.dueAtMs < first.dueAtMs) first = timer;
    }
    return first;
  }

  #arm(timer: Timer): void {
    if (this.#frozenAt) return;
    clearTimeout(timer.handle);
    const leftMs = Math.min(timer.dueAtMs - this.monotonicMs(), timeoutMsMax);
    timer.handle = setTimeout(() => this.#ring(timer), Math.max(0, leftMs));
  }

  #ring(timer: Timer): void {
    // Node may fire a fraction of a millisecond early; a longer rest is a wait cut into pieces.
    if (timer.dueAtMs - this.monotonicMs() > 1) this.#arm(timer);
    else this.#fire(timer);
  }

  #fire(timer: Timer): void {
    this.#remove(timer);
    timer.run();
  }

  #remove(timer: Timer): void {
    clearTimeout(timer.handle);
    this.#timers.delete(timer);
  }
}
