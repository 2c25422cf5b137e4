/**
 * Incidents: which events begin one, what was tried in it, and which end it.
 *
 * An incident has a subject (a probe, a connection, the process) and lasts until that is well again.
 */
import type { BotEvent } from "../contracts/events.ts";

export type IncidentStep =
  /** Begins one, or adds to the one that is open. */
  | { readonly kind: "open"; readonly subject: string; readonly cause: string }
  /** Something was tried, or done. */
  | { readonly kind: "measure"; readonly subject: string; readonly measure: string }
  | { readonly kind: "close"; readonly subject: string }
  /** It was over when it was noticed. */
  | { readonly kind: "past"; readonly subject: string; readonly cause: string };

/** What an event means for incidents; `undefined`: nothing. */
export function judgeEvent(event: BotEvent): IncidentStep | undefined {
  switch (event.type) {
    case "health.changed": {
      const subject = `health of ${event.probe}`;
      if (event.status === "healthy") return { kind: "close", subject };
      if (event.status === "degraded") return undefined;
      return { kind: "open", subject, cause: event.reason ?? "unhealthy" };
    }
    case "connection.lost": {
      const cause = event.error ? event.error.code : "no answer";
      return { kind: "open", subject: `connection ${event.connection}`, cause };
    }
    case "connection.restored":
      return { kind: "close", subject: `connection ${event.connection}` };
    case "intake.held-back":
      return { kind: "open", subject: "intake", cause: "the queue is full" };
    case "intake.resumed":
      return { kind: "close", subject: "intake" };
    case "safe-mode.entered": {
      const cause = `${event.deaths} unclean ends in a row`;
      return { kind: "open", subject: "safe mode", cause };
    }
    case "safe-mode.released":
      return { kind: "measure", subject: "safe mode", measure: "work goes on" };
    case "safe-mode.left":
      return { kind: "close", subject: "safe mode" };
    case "process.died-before":
      return { kind: "past", subject: "process", cause: event.detail ?? event.cause };
    case "restart.requested":
      return { kind: "past", subject: "restart", cause: event.detail ?? event.reason };
    case "loop.stalled":
      return { kind: "past", subject: "event loop", cause: `stood still for ${event.forMs} ms` };
    case "component.start-failed":
      return { kind: "past", subject: event.component, cause: event.error.code };
    case "error.noticed":
      if (event.what !== "spike") return undefined;
      return { kind: "past", subject: `errors ${event.code}`, cause: "far more than usual" };
    case "queue.commit-failed":
      return { kind: "past", subject: "commit", cause: event.error.code };
    default:
      return undefined;
  }
}
