/**
 * Heartbeat: the sign of life of a part that works by itself.
 *
 * An event loop that turns says nothing about a loop of ours that waits for something that never
 * comes. So whoever owns a loop says before each wait how long it may take at most.
 */
import type { Clock } from "./clock.ts";

export interface Heartbeat {
  /** Pieces of work done so far; grows while the part lives. */
  readonly beats: number;
  /** Milliseconds by which the next piece is overdue; 0 while it is not. */
  readonly overdueMs: number;
}

/** What any wait may take beyond what was said: a busy machine is not a stuck part. */
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

  /** What comes next takes at most so many milliseconds; `Infinity`: it may never come. */
  expect(withinMs: number): void {
    this.#dueAtMs = this.#clock.monotonicMs() + withinMs + graceMs;
  }

  get heartbeat(): Heartbeat {
    const overdueMs = Math.max(0, this.#clock.monotonicMs() - this.#dueAtMs);
    return { beats: this.#beats, overdueMs };
  }
}

/** Of a part that owns several loops: it lives as its worst one does. */
export function worstOf(heartbeats: readonly Heartbeat[]): Heartbeat {
  return {
    beats: heartbeats.length === 0 ? 1 : Math.min(...heartbeats.map(({ beats }) => beats)),
    overdueMs: Math.max(0, ...heartbeats.map(({ overdueMs }) => overdueMs)),
  };
}
