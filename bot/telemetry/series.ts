/**
 * Series: keeps one point per five seconds of the last hour, for charts and means.
 *
 * Counts events and samples the bot once per point. Owns one loop and a ring of points. Restarts,
 * incidents and breaker changes are kept as marks. Everything is forgotten at a restart.
 */
import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { BotEvent } from "../core/events.ts";
import type { Heartbeat } from "../core/heartbeat.ts";
import { Loop } from "../core/loop.ts";
import { Ring } from "../core/ring.ts";
import type { SeriesLook, SeriesPoint } from "../core/series.ts";
import { Distribution } from "./distribution.ts";

/** An occurrence that explains a chart. */
export interface Mark {
  readonly atEpochMs: number;
  readonly kind: "restart" | "incident" | "breaker";
  readonly label: string;
}

export interface SeriesDeps {
  readonly clock: Clock;
  readonly look: () => Promise<SeriesLook>;
  /** Called with every new point. */
  readonly onPoint?: (point: SeriesPoint) => void;
}

export const pointEveryMs = 5_000;
const pointsMax = 720;
const marksMax = 200;
/** The number of points that means are taken over: a minute. */
const recentPoints = 12;

/** Counts what happens between two points. */
class Interval {
  received = 0;
  handled = 0;
  sent = 0;
  readonly handling = new Distribution();
  readonly sending = new Distribution();
}

export class Series implements Component {
  readonly name = "series";
  readonly #deps: SeriesDeps;
  readonly #loop: Loop;
  readonly #points = new Ring<SeriesPoint>(pointsMax);
  readonly #marks = new Ring<Mark>(marksMax);
  /** The latest intervals, newest last, without the one being counted. */
  readonly #recent = new Ring<Interval>(recentPoints);
  #current = new Interval();
  #currentSinceMs: number;

  constructor(deps: SeriesDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(pointEveryMs)) await this.#addPoint();
    });
    this.#currentSinceMs = deps.clock.monotonicMs();
  }

  async start(): Promise<void> {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Beats once per point. */
  heartbeat(): Heartbeat {
    return this.#loop.heartbeat;
  }

  /** The listener to register with the event bus. */
  readonly listener = (event: BotEvent): void => {
    switch (event.type) {
      case "updates.received":
        this.#current.received += event.received;
        return;
      case "message.done": {
        const tookMs = event.waitedMs + event.durationMs;
        const handling = event.ref.pool === "handling";
        if (handling) this.#current.handled++;
        else this.#current.sent++;
        (handling ? this.#current.handling : this.#current.sending).record(tookMs);
        return;
      }
      case "process.started":
        this.mark("restart", "process");
        return;
      case "component.restart-begun":
        this.mark("restart", event.component);
        return;
      case "breaker.opened":
      case "breaker.closed":
        this.mark("breaker", event.type);
        return;
      default:
    }
  };

  mark(kind: Mark["kind"], label: string): void {
    this.#marks.push({ atEpochMs: this.#deps.clock.epochMs(), kind, label });
  }

  /** Returns points and marks later than this instant, oldest first. */
  since(epochMs: number): {
    readonly points: readonly SeriesPoint[];
    readonly marks: readonly Mark[];
  } {
    const later = ({ atEpochMs }: { readonly atEpochMs: number }) => atEpochMs > epochMs;
    return { points: this.#points.values.filter(later), marks: this.#marks.values.filter(later) };
  }

  /** Returns means and percentiles of the last minute. */
  recent() {
    const nowMs = this.#deps.clock.monotonicMs();
    const all = [...this.#recent.values, this.#current];
    const seconds =
      (this.#recent.length * pointEveryMs + Math.max(1, nowMs - this.#currentSinceMs)) / 1000;
    const perSecond = (pick: (interval: Interval) => number) =>
      rate(
        all.reduce((sum, interval) => sum + pick(interval), 0),
        seconds,
      );
    const spread = (pick: (interval: Interval) => Distribution) => {
      const sum = new Distribution();
      for (const interval of all) sum.add(pick(interval));
      const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => sum.percentile(share));
      return { count: sum.count, p50: p50 ?? 0, p95: p95 ?? 0, p99: p99 ?? 0 };
    };
    return {
      throughput: {
        receivedPerSecond: perSecond(({ received }) => received),
        handledPerSecond: perSecond(({ handled }) => handled),
        sentPerSecond: perSecond(({ sent }) => sent),
      },
      latency: {
        handling: spread(({ handling }) => handling),
        sending: spread(({ sending }) => sending),
      },
    };
  }

  async #addPoint(): Promise<void> {
    const { clock, look, onPoint } = this.#deps;
    const counted = this.#current;
    const nowMs = clock.monotonicMs();
    const seconds = Math.max(1, nowMs - this.#currentSinceMs) / 1000;
    this.#current = new Interval();
    this.#currentSinceMs = nowMs;
    this.#recent.push(counted);
    const { handled, handling, received, sending, sent } = counted;
    const at = (spread: Distribution, share: number) =>
      spread.count === 0 ? null : spread.percentile(share);
    const point = {
      atEpochMs: clock.epochMs(),
      receivedPerSecond: rate(received, seconds),
      handledPerSecond: rate(handled, seconds),
      sentPerSecond: rate(sent, seconds),
      handlingP50Ms: at(handling, 0.5),
      handlingP95Ms: at(handling, 0.95),
      handlingP99Ms: at(handling, 0.99),
      sendingP95Ms: at(sending, 0.95),
      ...(await look()),
    };
    this.#points.push(point);
    onPoint?.(point);
  }
}

function rate(count: number, seconds: number): number {
  return Math.round((count / seconds) * 100) / 100;
}
