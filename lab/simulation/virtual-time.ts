/**
 * Virtual time: everything that will happen, in order, in one thread, as fast as the machine can.
 *
 * What is due at the same instant happens in an order drawn from the seed. Something that happens on a
 * `Thread` (the bot's process) waits while that thread is busy, and never happens once it is dead;
 * everything else is the world. After each happening all promises settle before the next one.
 */
import type { Clock, Random } from "../../bot/core/clock.ts";

interface Happening {
  dueAtMs: number;
  readonly order: number;
  readonly sequence: number;
  readonly thread: Thread | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** Happenings one run may consist of; a loop without end is a failure, not a hang. */
const happeningsMax = 400_000;

export class VirtualTime {
  readonly #random: Random;
  readonly #heap: Happening[] = [];
  #nowMs = 0;
  #happenings = 0;
  /** What the wall clock shows at instant 0. */
  epochAtZeroMs = 1_767_225_600_000;

  constructor(random: Random) {
    this.#random = random;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get happenings(): number {
    return this.#happenings;
  }

  /** Lets something happen later. @returns what calls it off. */
  at(dueAtMs: number, run: () => void, thread?: Thread): () => void {
    const happening: Happening = {
      dueAtMs: Math.max(this.#nowMs, dueAtMs),
      order: this.#random(),
      sequence: this.#happenings + this.#heap.length,
      thread,
      run,
      cancelled: false,
    };
    this.#push(happening);
    return () => {
      happening.cancelled = true;
    };
  }

  after(delayMs: number, run: () => void): () => void {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Lets everything happen that is due by then, or until `enough` says so. */
  async runUntil(untilMs: number, enough: () => boolean = () => false): Promise<void> {
    await settle();
    while (!enough()) {
      const next = this.#heap[0];
      if (!next || next.dueAtMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return;
      }
      this.#pop();
      const { thread } = next;
      if (next.cancelled || thread?.dead) continue;
      if (thread && thread.busyUntilMs > next.dueAtMs) {
        next.dueAtMs = thread.busyUntilMs;
        this.#push(next);
        continue;
      }
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      if (++this.#happenings > happeningsMax) throw new Error("the simulation never comes to rest");
      next.run();
      await settle();
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let index = heap.push(happening) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(happening, heap[parent] as Happening)) break;
      heap[index] = heap[parent] as Happening;
      index = parent;
    }
    heap[index] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Happening)) child++;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[index] = heap[child] as Happening;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  if (a.dueAtMs !== b.dueAtMs) return a.dueAtMs < b.dueAtMs;
  return a.order !== b.order ? a.order < b.order : a.sequence < b.sequence;
}

/** Promises settle in the microtasks before the next turn of the event loop. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** One process's only thread, and its clock. */
export class Thread implements Clock {
  readonly #time: VirtualTime;
  readonly #random: Random;
  /** Until then it does nothing: a slow disk, a stopped process, a sleeping machine. */
  busyUntilMs = 0;
  dead = false;
  readonly #startedAtMs: number;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.#startedAtMs = time.nowMs;
  }

  /** Milliseconds since it was started. */
  get ageMs(): number {
    return this.monotonicMs() - this.#startedAtMs;
  }

  monotonicMs(): number {
    return Math.max(this.#time.nowMs, this.busyUntilMs);
  }

  epochMs(): number {
    return Math.floor(this.#time.epochAtZeroMs + this.monotonicMs());
  }

  /** Does nothing for so long, in the middle of whatever it does. */
  stall(ms: number): void {
    this.busyUntilMs = this.monotonicMs() + ms;
  }

  /** Lets something happen on this thread. */
  after(delayMs: number, run: () => void): () => void {
    return this.#time.at(this.monotonicMs() + delayMs, run, this);
  }

  /** As an event loop does at the end of a turn: others that are due at once may come first. */
  readonly defer = (work: () => void): void => {
    this.after(this.#random() < 0.5 ? 0 : this.#random() * 2, work);
  };

  sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        callOff();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      // A timer never fires early, and rarely at once.
      const delay = Math.max(0, delayMs) + this.#random();
      const callOff = Number.isFinite(delay) ? this.after(delay, wake) : () => {};
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
