/**
 * Heartbeat: the sign of life of a part that works by itself.
 *
 * A turning event loop does not show that a loop of ours waits for something that never comes. So the
 * owner of a loop says before each wait how long it may take at most.
 */
import type { Clock } from "./clock.ts";

export interface Heartbeat {
  /** Pieces of work done so far; grows while the part lives. */
  readonly beats: number;
  /** Milliseconds by which the next piece is overdue; 0 while it is not. */
  readonly overdueMs: number;
}

/** Milliseconds that any wait may take longer than its owner said: a busy machine is no hung part. */
const graceMs = 30_000;

/** Keeps one heartbeat. */
export class Pulse {
  readonly #clock: Clock;
  #beats = 0;
  #dueAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A piece of work is done, and the next takes at most so many milliseconds. Default: a moment. */
  beat(withinMs = 0): void {
    this.#beats++;
    this.expect(withinMs);
  }

  /** The next piece takes at most so many milliseconds; `Infinity`: it may never come. */
  expect(withinMs: number): void {
    this.#dueAtMs = this.#clock.monotonicMs() + withinMs + graceMs;
  }

  get heartbeat(): Heartbeat {
    const overdueMs = Math.max(0, this.#clock.monotonicMs() - this.#dueAtMs);
    return { beats: this.#beats, overdueMs };
  }
}

/** The heartbeat of a part that owns several loops: that of the most overdue one. */
export function worstOf(heartbeats: readonly Heartbeat[]): Heartbeat {
  return {
    beats: heartbeats.length === 0 ? 1 : Math.min(...heartbeats.map(({ beats }) => beats)),
    overdueMs: Math.max(0, ...heartbeats.map(({ overdueMs }) => overdueMs)),
  };
}
