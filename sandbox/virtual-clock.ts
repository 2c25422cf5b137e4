/**
 * Virtual clock: the machine's time plus whatever it was advanced by.
 *
 * Owns every timer of the sandbox that a test may want to pass over: long polls, pacing, expiry,
 * latency. Frozen, it moves by `advance` only, so that a test decides about every millisecond.
 */

interface Timer {
  readonly dueAtMs: number;
  readonly run: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** `setTimeout` fires at once when asked for more. Source: Node.js documentation, timers. */
const timeoutMsMax = 2 ** 31 - 1;

export class VirtualClock {
  readonly #frozenAt: { readonly monotonicMs: number; readonly epochMs: number } | undefined;
  readonly #timers = new Set<Timer>();
  #advancedMs = 0;

  /** @param frozen True: time passes by `advance` only. */
  constructor(frozen = false) {
    this.#frozenAt = frozen
      ? { monotonicMs: performance.timeOrigin + performance.now(), epochMs: Date.now() }
      : undefined;
  }

  /** Monotonic, and comparable with `performance.timeOrigin + performance.now()` elsewhere. */
  monotonicMs(): number {
    const realMs = this.#frozenAt?.monotonicMs ?? performance.timeOrigin + performance.now();
    return realMs + this.#advancedMs;
  }

  epochMs(): number {
    return (this.#frozenAt?.epochMs ?? Date.now()) + this.#advancedMs;
  }

  /** Unix seconds, as Telegram's dates are. */
  epochS(): number {
    return Math.floor(this.epochMs() / 1_000);
  }

  /** Runs once after `delayMs`. @returns a function that calls it off. */
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

  /** Moves on by `ms`; every timer on the way runs at its own instant, in order. */
  advance(ms: number): void {
    const targetMs = this.monotonicMs() + ms;
    for (let next = this.#firstDue(targetMs); next; next = this.#firstDue(targetMs)) {
      this.#advancedMs += Math.max(0, next.dueAtMs - this.monotonicMs());
      this.#fire(next);
    }
    this.#advancedMs += Math.max(0, targetMs - this.monotonicMs());
    for (const timer of this.#timers) this.#arm(timer);
  }

  /** Calls everything off. */
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
    // Node may ring a fraction of a millisecond early; more than that is a wait cut into pieces.
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
