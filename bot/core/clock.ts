/**
 * Clock and Random: where time and chance come from.
 *
 * The only file that may touch `Date`, `performance` and `setTimeout`; everything else takes these
 * as arguments, so that tests can simulate years and replay a seed.
 */

import { type MachineBoot, readMachineBoot } from "./machine-boot.ts";

/** Time, as components see it. */
export interface Clock {
  /** Monotonic milliseconds: for durations and deadlines, never stored. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch: for storage and display, never for measuring durations. */
  epochMs(): number;
  /** Resolves after `delayMs`, or as soon as `signal` aborts. Never rejects. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Calls `run` after `delayMs`, unless the function that it returns is called before. */
  timer(delayMs: number, run: () => void): () => void;
  /** The machine's boot at this moment. Default: unknown. */
  machineBoot?(): MachineBoot | undefined;
}

/** Chance: a number uniform in [0, 1). */
export type Random = () => number;

/** `setTimeout` fires at once when asked for more. Source: Node.js documentation, timers. */
const timeoutMsMax = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  machineBoot: readMachineBoot,
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = () => {
        callOff();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const callOff = systemClock.timer(delayMs, wake);
      signal.addEventListener("abort", wake, { once: true });
    }),
  timer: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), timeoutMsMax));
    return () => clearTimeout(timer);
  },
};

/**
 * Reason for ending a wait of our own. It replaces the default reason of `abort`, an exception whose
 * stack costs too much where waits end thousands of times a second.
 */
export const waitOver: unique symbol = Symbol("wait over");

/** The machine's own chance. Not for secrets. */
export const systemRandom: Random = Math.random;

/** An instant as ISO 8601 in UTC, e.g. "2026-01-31T12:00:00.000Z". */
export function formatInstant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** The reverse of `formatInstant`; `undefined` for a text that is no instant. */
export function parseInstant(text: string): number | undefined {
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

/** A Date, for what authors may pass. */
export type Instant = Date;

/** For what takes a Date. */
export function dateAt(epochMs: number): Date {
  return new Date(epochMs);
}

/**
 * The epoch as it was when this was created, carried on by the monotonic clock: instants to store and
 * compare that do not jump when the wall clock is set.
 */
export function steadyEpoch(clock: Clock): () => number {
  const anchorMs = clock.epochMs() - clock.monotonicMs();
  return () => Math.round(anchorMs + clock.monotonicMs());
}
