/** Event level: how much an event matters, and which ones are never left out of the log. */
import type { BotEvent } from "../contracts/events.ts";
import type { LogLevel } from "../contracts/log-level.ts";

/** How much an event matters. A new event must be judged here, or this does not compile. */
export function levelOf(event: BotEvent): LogLevel {
  switch (event.type) {
    case "alert.failed":
    case "api.failed":
    case "breaker.opened":
    case "component.start-failed":
    case "component.stop-failed":
    case "component.given-up":
    case "component.stuck":
    case "component.restart-failed":
    case "connection.lost":
    case "queue.commit-failed":
    case "storage.failed":
    case "process.died-before":
    case "safe-mode.entered":
    case "watchdog.failed":
      return "error";
    case "health.changed":
      return { healthy: "info", degraded: "warn", unhealthy: "error" }[event.status] as LogLevel;
    case "error.noticed":
      return event.what === "spike" ? "warn" : "info";
    case "message.dead":
      return event.reason === "refused" ? "warn" : "error";
    case "component.drained":
      return event.left.length > 0 ? "warn" : "info";
    case "process.started":
      return event.previousEnd === "unclean" ? "warn" : "info";
    case "intake.failed":
    case "intake.held-back":
    case "log.level-changed":
    case "component.restarting":
    case "loop.stalled":
    case "process.unmeasured":
    case "restart.requested":
    case "message.overdue":
    case "security.happened":
    case "message.recovered":
    case "message.retry-scheduled":
    case "send.ambiguous":
    case "telegram.rate-limited":
    case "webhook.refused":
      return "warn";
    case "breaker.closed":
    case "business.happened":
    case "chat.migrated":
    case "chat.unreachable":
    case "component.recovered":
    case "component.started":
    case "component.stopped":
    case "connection.restored":
    case "dead-letter.requeued":
    case "intake.recovered":
    case "intake.resumed":
    case "message.expired":
    case "process.stopping":
    case "queue.paused":
    case "queue.resumed":
    case "safe-mode.left":
    case "safe-mode.released":
    case "storage.backed-up":
    case "storage.checked":
    case "update.ignored":
    case "webhook.removed":
    case "webhook.set":
      return "info";
    case "connection.reconnecting":
    case "message.done":
    case "message.postponed":
    case "queue.swept":
    case "updates.received":
      return "debug";
  }
}

/** What somebody did on purpose: each time is written, however often. */
const audited: ReadonlySet<BotEvent["type"]> = new Set([
  "dead-letter.requeued",
  "log.level-changed",
  "queue.paused",
  "queue.resumed",
  "restart.requested",
]);

export function isAudited(event: BotEvent): boolean {
  return audited.has(event.type);
}
