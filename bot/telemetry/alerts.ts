/**
 * Alerts: tells the operators when incidents begin and end, grouped and not too often.
 *
 * Alerts go to Telegram through the queue, so they survive a crash, and also to a webhook while
 * Telegram cannot be reached. An incident that ends before its alert was sent is not reported.
 */
import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { withDeadline } from "../core/deadline.ts";
import { recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import type { Heartbeat } from "../core/heartbeat.ts";
import { Loop } from "../core/loop.ts";
import type { Trouble } from "../core/recovery.ts";
import type { Incident } from "./incident-book.ts";

export interface AlertsDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  /** Queues a text for each operator. */
  readonly send: (text: string) => Promise<void>;
  /** Whether Telegram can be reached now. */
  readonly reachable: () => boolean;
  /** Posts a text to the webhook; missing when none is configured. */
  readonly post?: (text: string, signal: AbortSignal) => Promise<void>;
}

/** News within this time share one message. */
const groupMs = 5_000;
/** Minimum time between two messages, unless there is urgent news. */
const pauseMs = 60_000;
/** Operators are told at once that data are gone, whatever they have just been told. */
const urgent: readonly Trouble[] = ["commits-lost"];
const linesMax = 15;
const postDeadlineMs = 10_000;

export class Alerts implements Component {
  readonly name = "alerts";
  readonly #deps: AlertsDeps;
  readonly #loop: Loop;
  /** The latest unsent news of each incident, by id. */
  readonly #news = new Map<number, Incident>();
  /** Open incidents that were reported, so their end must be reported as well. */
  readonly #told = new Set<number>();

  constructor(deps: AlertsDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, (loop) => this.#run(loop));
  }

  async start(): Promise<void> {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Beats once per message; overdue only while there is news. */
  heartbeat(): Heartbeat {
    return this.#loop.heartbeat;
  }

  /** Reports that an incident has begun or ended. */
  tell(incident: Incident): void {
    const { closedAtEpochMs, id, openedAtEpochMs } = incident;
    const instant = closedAtEpochMs !== undefined && closedAtEpochMs === openedAtEpochMs;
    const untold = closedAtEpochMs !== undefined && !this.#told.has(id) && !instant;
    if (untold) this.#news.delete(id);
    else this.#news.set(id, incident);
    this.#loop.wake();
  }

  async #run(loop: Loop): Promise<void> {
    while (this.#news.size > 0 || (await loop.wait(Number.POSITIVE_INFINITY))) {
      if (this.#news.size > 0 && !(await loop.pause(groupMs))) return;
      if (this.#news.size === 0) continue;
      await this.#flush();
      if (!(await this.#pause(loop))) return;
    }
  }

  /** Waits until the next message may go. @returns false after `stop`. */
  async #pause(loop: Loop): Promise<boolean> {
    const untilMs = this.#deps.clock.monotonicMs() + pauseMs;
    for (;;) {
      const leftMs = untilMs - this.#deps.clock.monotonicMs();
      const isUrgent = [...this.#news.values()].some(({ trouble }) => urgent.includes(trouble));
      if (leftMs <= 0 || isUrgent) return !loop.stopped;
      if (!(await loop.wait(leftMs))) return false;
    }
  }

  async #postInTime(text: string): Promise<void> {
    const { clock, post } = this.#deps;
    await withDeadline(clock, postDeadlineMs, async ({ signal }) => post?.(text, signal), {
      signal: this.#loop.signal,
      late: () => {
        throw new Error(`the alert webhook did not answer within ${postDeadlineMs} ms`);
      },
    });
  }

  async #flush(): Promise<void> {
    const { clock, publish, send, reachable } = this.#deps;
    const incidents = [...this.#news.values()];
    this.#news.clear();
    for (const { closedAtEpochMs, id } of incidents) {
      if (closedAtEpochMs === undefined) this.#told.add(id);
      else this.#told.delete(id);
    }
    const text = toText(incidents);
    try {
      await send(text);
      if (!reachable()) await this.#postInTime(text);
    } catch (error) {
      publish({ type: "alert.failed", error: recordError(error, clock.epochMs()) });
    }
  }
}

function toText(incidents: readonly Incident[]): string {
  const lines = incidents.slice(0, linesMax).map(toLine);
  const more = incidents.length - lines.length;
  return [...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join("\n");
}

function toLine({ cause, closedAtEpochMs, openedAtEpochMs, subject, times }: Incident): string {
  const often = times > 1 ? ` (${times} times)` : "";
  if (closedAtEpochMs === undefined) return `🔴 ${subject}: ${cause}${often}`;
  if (closedAtEpochMs === openedAtEpochMs) return `🟠 ${subject}: ${cause}${often}`;
  const seconds = Math.round((closedAtEpochMs - openedAtEpochMs) / 1_000);
  return `🟢 ${subject}: resolved after ${seconds} s`;
}
