/** Event level: decides how much an event matters, and which events are always logged. */
import type { BotEvent } from "../../core/events.ts";
import type { LogLevel } from "../../core/log-level.ts";

type Level<Type> = LogLevel | ((event: Extract<BotEvent, { type: Type }>) => LogLevel);

const healthLevels = { healthy: "info", degraded: "warn", unhealthy: "error" } as const;

/** The level of every event; a missing event does not compile. */
const levels: { readonly [Type in BotEvent["type"]]: Level<Type> } = {
  "alert.failed": "error",
  "api.change-requested": "warn",
  "api.failed": "error",
  "api.payload-requested": "warn",
  "api.refused": "warn",
  "backup.carried-away": "info",
  "backup.command-failed": "error",
  "backup.failed": "error",
  "breaker.closed": "info",
  "breaker.opened": "error",
  "business.recorded": "info",
  "chat.migrated": "info",
  "chat.marked-unreachable": "info",
  "component.drained": (event) => (event.left.length > 0 ? "warn" : "info"),
  "component.given-up": "error",
  "component.recovered": "info",
  "component.restart-failed": "error",
  "component.restart-begun": "warn",
  "component.start-failed": "error",
  "component.started": "info",
  "component.stop-failed": "error",
  "component.stopped": "info",
  "component.stalled": "error",
  "connection.lost": "error",
  "connection.reconnect-begun": "debug",
  "connection.restored": "info",
  "dead-letter.requeued": "info",
  "dead-mans-switch.failed": "warn",
  "dead-mans-switch.recovered": "info",
  "encryption-key.changed": "info",
  "encryption-key.created": "warn",
  "error.noticed": (event) => (event.what === "spike" ? "warn" : "info"),
  "handler.called-late": "warn",
  "health.changed": ({ status }) => healthLevels[status],
  "intake.failed": "warn",
  "intake.held-back": "warn",
  "intake.recovered": "info",
  "intake.resumed": "info",
  "keys.rotated": "info",
  "keys.sweep-failed": "warn",
  "keys.swept": "info",
  "listener.failed": "error",
  "log.caught-up": "warn",
  "log.fallen-behind": "warn",
  "log.file-failed": "error",
  "log.file-restored": "warn",
  "log.files-removed": "warn",
  "log.level-changed": "warn",
  "log.lines-suppressed": ({ level }) => level,
  "loop.stalled": "warn",
  "message.dead-lettered": (event) => (event.reason === "refused" ? "warn" : "error"),
  "message.done": "debug",
  "message.expired": "info",
  "message.found-slow": "warn",
  "message.postponed": "debug",
  "message.recovered": "warn",
  "message.retry-scheduled": "warn",
  "messages.replaced": "debug",
  "payments.agreed": "info",
  "payments.differed": ({ openCount }) => (openCount > 0 ? "error" : "warn"),
  "process.death-found": "error",
  "process.failed": "error",
  "process.started": (event) => (event.previousEnd === "unclean" ? "warn" : "info"),
  "process.stop-begun": "info",
  "process.measuring-failed": "warn",
  "queue.commit-failed": "error",
  "queue.paused": "info",
  "queue.resumed": "info",
  "queue.swept": "debug",
  "restart.requested": "warn",
  "safe-mode.entered": "error",
  "safe-mode.left": "info",
  "safe-mode.relaxed": "info",
  "security.recorded": "warn",
  "send.cut-off": "warn",
  "send.simplified": "warn",
  "storage.backed-up": "info",
  "storage.checked": "info",
  "storage.failed": "error",
  "telegram.rate-limited": "warn",
  "update.ignored": "info",
  "updates.received": "debug",
  "watchdog.failed": "error",
  "webhook.refused": "warn",
  "webhook.removed": "info",
  "webhook.set": "info",
};

/** Returns the level at which an event is logged. */
export function levelOf(event: BotEvent): LogLevel {
  const level = levels[event.type] as Level<BotEvent["type"]>;
  return typeof level === "string" ? level : level(event);
}

/** Events that are never sampled: actions of operators, and reports of the log about itself. */
const audited: ReadonlySet<BotEvent["type"]> = new Set([
  "api.change-requested",
  "api.payload-requested",
  "dead-letter.requeued",
  "encryption-key.changed",
  "encryption-key.created",
  "keys.rotated",
  "listener.failed",
  "log.caught-up",
  "log.fallen-behind",
  "log.file-restored",
  "log.files-removed",
  "log.level-changed",
  "process.failed",
  "queue.paused",
  "queue.resumed",
  "restart.requested",
]);

export function isAudited(event: BotEvent): boolean {
  return audited.has(event.type);
}
