/** Metrics: figures for charts and Prometheus, and what the live stream tells. */
import type { EventStream } from "../api/event-stream.ts";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { EventBus } from "../core/event-bus.ts";
import type { BotEvent } from "../core/events.ts";
import { redact } from "../core/redaction.ts";
import { Prometheus } from "../telemetry/prometheus.ts";
import { Series } from "../telemetry/series.ts";
import { figuresOf, lookAtAll, type MeasuredParts } from "./monitoring-view.ts";
import { version } from "./version.ts";

/** Events that are counted but not streamed: too many to follow, or a person's own business. */
const untold: ReadonlySet<BotEvent["type"]> = new Set([
  "business.recorded",
  "connection.reconnect-begun",
  "message.done",
  "message.postponed",
  "message.retry-scheduled",
  "queue.swept",
  "updates.received",
]);

export function createMetrics(
  config: FaultToleranceConfig,
  parts: MeasuredParts & { bus: EventBus; stream: EventStream },
) {
  const { book, bus, clock, log, stream } = parts;
  const series = new Series({
    clock,
    look: () => lookAtAll(parts),
    onPoint: (point) => stream.push("sample", point),
  });
  const prometheus = new Prometheus({ version, figures: () => figuresOf(config, parts) });
  bus.subscribe(series.listener);
  bus.subscribe(prometheus.listener);
  bus.subscribe((event) => {
    if (!untold.has(event.type)) stream.push("fact", redact(event) as object);
  });
  log.subscribe((line) => {
    if (line.level === "warn" || line.level === "error") stream.push("log", line);
  });
  book.subscribe(({ subject }) => series.mark("incident", subject));
  return { prometheus, series };
}
