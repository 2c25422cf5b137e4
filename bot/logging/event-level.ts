/** Event level: how much an event matters, and which ones are never left out of the log. */
import type { BotEvent } from "../contracts/events.ts";
import type { LogLevel } from "../contracts/log-level.ts";

/** Events that always matter as much. */
const levels = {
  "alert.failed": "error",
  "api.failed": "error",
  "breaker.opened": "error",
  "component.given-up": "error",
  "component.restart-failed": "error",
  "component.start-failed": "error",
  "component.stop-failed": "error",
  "component.stuck": "error",
  "connection.lost": "error",
  "process.died-before": "error",
  "queue.commit-failed": "error",
  "safe-mode.entered": "error",
  "storage.failed": "error",
  "watchdog.failed": "error",
  "component.restarting": "warn",
  "encryption-key.created": "warn",
  "intake.failed": "warn",
  "intake.held-back": "warn",
  "keys.sweep-failed": "warn",
  "log.level-changed": "warn",
  "loop.stalled": "warn",
  "message.overdue": "warn",
  "message.recovered": "warn",
  "message.retry-scheduled": "warn",
  "process.unmeasured": "warn",
  "restart.requested": "warn",
  "security.happened": "warn",
  "send.ambiguous": "warn",
  "telegram.rate-limited": "warn",
  "webhook.refused": "warn",
  "breaker.closed": "info",
  "business.happened": "info",
  "chat.migrated": "info",
  "chat.unreachable": "info",
  "component.recovered": "info",
  "component.started": "info",
  "component.stopped": "info",
  "connection.restored": "info",
  "dead-letter.requeued": "info",
  "encryption-key.changed": "info",
  "intake.recovered": "info",
  "intake.resumed": "info",
  "keys.rotated": "info",
  "keys.swept": "info",
  "message.expired": "info",
  "process.stopping": "info",
  "queue.paused": "info",
  "queue.resumed": "info",
  "safe-mode.left": "info",
  "safe-mode.released": "info",
  "storage.backed-up": "info",
  "storage.checked": "info",
  "update.ignored": "info",
  "webhook.removed": "info",
  "webhook.set": "info",
  "connection.reconnecting": "debug",
  "message.done": "debug",
  "message.postponed": "debug",
  "queue.swept": "debug",
  "updates.received": "debug",
} as const satisfies Partial<Record<BotEvent["type"], LogLevel>>;

/** How much an event matters. A new event must be judged here, or this does not compile. */
export function levelOf(event: BotEvent): LogLevel {
  switch (event.type) {
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
    default:
      return levels[event.type];
  }
}

/** What somebody did on purpose: each time is written, however often. */
const audited: ReadonlySet<BotEvent["type"]> = new Set([
  "dead-letter.requeued",
  "encryption-key.changed",
  "encryption-key.created",
  "keys.rotated",
  "log.level-changed",
  "queue.paused",
  "queue.resumed",
  "restart.requested",
]);

export function isAudited(event: BotEvent): boolean {
  return audited.has(event.type);
}
