/** Metrics: figures for charts and Prometheus, and the live stream, joined to the events. */
import { EventStream } from "../api/event-stream.ts";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { Clock } from "../core/clock.ts";
import type { BotEvent } from "../core/events.ts";
import { redact } from "../core/redaction.ts";
import { Prometheus } from "../telemetry/prometheus.ts";
import { Series } from "../telemetry/series.ts";
import { figuresOf, lookAtAll, type Watched } from "./monitoring-view.ts";
import { version } from "./version.ts";

/** Too many to follow one by one, or a person's business: they are counted, not told. */
const untold: ReadonlySet<BotEvent["type"]> = new Set([
  "business.recorded",
  "connection.reconnect-begun",
  "message.done",
  "message.postponed",
  "message.retry-scheduled",
  "queue.swept",
  "updates.received",
]);

/** @param watched The parts that are looked at, once they have been made. */
export function createMetrics(config: FaultToleranceConfig, clock: Clock, watched: () => Watched) {
  const stream = new EventStream({ clock });
  const series = new Series({
    clock,
    look: () => lookAtAll(watched()),
    onPoint: (point) => stream.push("sample", point),
  });
  const prometheus = new Prometheus({ version, figures: () => figuresOf(config, watched()) });
  const tell = (event: BotEvent) => {
    if (!untold.has(event.type)) stream.push("fact", redact(event) as object);
  };
  return { stream, series, prometheus, listeners: [series.listener, prometheus.listener, tell] };
}
