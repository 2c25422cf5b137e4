/**
 * Virtual time: runs all scheduled events in order, in one thread, as fast as the machine can.
 *
 * The seed decides the order of events that are due at the same instant. An event on a `Thread` (the
 * bot's process) waits while that thread is busy, and is dropped once it is dead; all other events
 * belong to the world. After each event all promises settle before the next one.
 */
import type { Clock, Random } from "../../bot/core/clock.ts";
import type { MachineBoot } from "../../bot/core/machine-boot.ts";

interface ScheduledEvent {
  dueAtMs: number;
  readonly order: number;
  readonly sequence: number;
  readonly thread: Thread | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** Maximum of events in one run, so that an endless loop is a failure and not a hang. */
const eventsMax = 400_000;

export class VirtualTime {
  readonly #random: Random;
  readonly #heap: ScheduledEvent[] = [];
  #nowMs = 0;
  #events = 0;
  /** Wall clock at instant 0. */
  epochAtZeroMs = 1_767_225_600_000;
  /** Whether the machine tells since when it runs, as Linux does. */
  tellsBoot = false;

  constructor(random: Random) {
    this.#random = random;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Schedules an event. @returns a function that cancels it. */
  at(dueAtMs: number, run: () => void, thread?: Thread): () => void {
    const event: ScheduledEvent = {
      dueAtMs: Math.max(this.#nowMs, dueAtMs),
      order: this.#random(),
      sequence: this.#events + this.#heap.length,
      thread,
      run,
      cancelled: false,
    };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  after(delayMs: number, run: () => void): () => void {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Runs all events that are due by `untilMs`, or until `enough` returns true. */
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
      if (++this.#events > eventsMax) throw new Error("the simulation never comes to rest");
      next.run();
      await settle();
    }
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent] as ScheduledEvent)) break;
      heap[index] = heap[parent] as ScheduledEvent;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as ScheduledEvent;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as ScheduledEvent)) child++;
      if (!isBefore(heap[child] as ScheduledEvent, last)) break;
      heap[index] = heap[child] as ScheduledEvent;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  if (a.dueAtMs !== b.dueAtMs) return a.dueAtMs < b.dueAtMs;
  return a.order !== b.order ? a.order < b.order : a.sequence < b.sequence;
}

/** Resolves after the microtasks of this turn of the event loop, in which promises settle. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The main thread of one process, and its clock. */
export class Thread implements Clock {
  readonly #time: VirtualTime;
  readonly #random: Random;
  /** The thread does nothing until then: a slow disk, a stopped process, a sleeping machine. */
  busyUntilMs = 0;
  dead = false;
  readonly #startedAtMs: number;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.#startedAtMs = time.nowMs;
  }

  /** Milliseconds since the thread was started. */
  get ageMs(): number {
    return this.monotonicMs() - this.#startedAtMs;
  }

  monotonicMs(): number {
    return Math.max(this.#time.nowMs, this.busyUntilMs);
  }

  epochMs(): number {
    return Math.floor(this.#time.epochAtZeroMs + this.monotonicMs());
  }

  machineBoot(): MachineBoot | undefined {
    return this.#time.tellsBoot ? { id: "the only one", uptimeMs: this.monotonicMs() } : undefined;
  }

  /** Makes the thread do nothing for `ms`, in the middle of its work. */
  stall(ms: number): void {
    this.busyUntilMs = this.monotonicMs() + ms;
  }

  /** Schedules an event on this thread. */
  after(delayMs: number, run: () => void): () => void {
    return this.#time.at(this.monotonicMs() + delayMs, run, this);
  }

  /** Schedules work for the end of the event loop's turn; other due events may come first. */
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
      const callOff = this.timer(delayMs, wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  timer(delayMs: number, run: () => void): () => void {
    // A timer never fires early, and rarely exactly on time.
    const delay = Math.max(0, delayMs) + this.#random();
    return Number.isFinite(delay) ? this.after(delay, run) : () => {};
  }
}
