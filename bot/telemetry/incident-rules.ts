/**
 * Incidents: decides which events begin an incident, add a measure to it, and end it.
 *
 * An incident has a subject (a probe, a connection, the process) and a kind of trouble, and lasts
 * until the subject is well again. core/recovery.ts lists the measures against each kind of
 * trouble.
 */
import type { BotEvent } from "../core/events.ts";
import { type Measure, measureAgainst, type Trouble } from "../core/recovery.ts";

export type IncidentStep =
  /** Begins an incident or adds to the open one. `measure`: what was done at once. */
  | {
      readonly kind: "open";
      readonly subject: string;
      readonly trouble: Trouble;
      readonly cause: string;
      readonly measure?: Measure;
    }
  /** A measure was taken. */
  | { readonly kind: "measure"; readonly subject: string; readonly measure: Measure }
  | { readonly kind: "close"; readonly subject: string }
  /** Records an incident that was over when it was noticed. `measure`: what ended it. */
  | {
      readonly kind: "past";
      readonly subject: string;
      readonly trouble: Trouble;
      readonly cause: string;
      readonly measure?: Measure;
    };

/** Returns what an event means for incidents; `undefined` when it means nothing. */
export function judgeEvent(event: BotEvent): IncidentStep | undefined {
  switch (event.type) {
    case "health.changed": {
      const subject = `health of ${event.probe}`;
      if (event.status === "healthy") return { kind: "close", subject };
      if (event.status === "degraded") {
        // Other parts that are degraded do their work; held work waits, and people with it.
        if (event.probe !== "holds") return undefined;
        return open(subject, "work-held", event.reason ?? "degraded", "at once");
      }
      return open(subject, "part-unhealthy", event.reason ?? "unhealthy", "at once");
    }
    case "connection.lost": {
      const cause = event.error ? event.error.code : "no answer";
      return open(`connection ${event.connection}`, "connection-lost", cause);
    }
    case "connection.reconnect-begun":
      return { kind: "measure", subject: `connection ${event.connection}`, measure: "reconnect" };
    case "connection.restored":
      return { kind: "close", subject: `connection ${event.connection}` };
    case "component.stalled": {
      const cause = `overdue by ${event.overdueMs} ms`;
      return open(`component ${event.component}`, "component-stuck", cause);
    }
    case "component.restart-failed":
      return open(`component ${event.component}`, "component-failed", event.error.code);
    case "component.restart-begun":
      return {
        kind: "measure",
        subject: `component ${event.component}`,
        measure: "restart-component",
      };
    case "component.given-up":
      return {
        kind: "measure",
        subject: `component ${event.component}`,
        measure: "restart-process",
      };
    case "component.recovered":
      return { kind: "close", subject: `component ${event.component}` };
    case "intake.held-back":
      return open("intake", "queue-full", "the queue is full", "at once");
    case "intake.resumed":
      return { kind: "close", subject: "intake" };
    case "safe-mode.entered": {
      const cause = `${event.deaths} unclean ends in a row`;
      return open("safe mode", "process-keeps-dying", cause, "at once");
    }
    case "safe-mode.left":
      return { kind: "close", subject: "safe mode" };
    case "backup.failed":
      return open("backup", "backup-failed", event.error.code, "at once");
    case "storage.backed-up":
      return { kind: "close", subject: "backup" };
    case "backup.command-failed":
      return open("backup command", "backup-failed", event.error.message, "at once");
    case "backup.carried-away":
      return { kind: "close", subject: "backup command" };
    case "payments.differed":
      return open("payments", "payments-differ", `${event.chargeId}: ${event.kind}`, "at once");
    case "payments.agreed":
      return { kind: "close", subject: "payments" };
    default:
      return judgePast(event);
  }
}

function judgePast(event: BotEvent): IncidentStep | undefined {
  switch (event.type) {
    case "process.death-found": {
      const trouble = event.cause === "hang" ? "process-hung" : "process-died";
      return past("process", trouble, event.detail ?? event.cause, "at once");
    }
    case "restart.requested": {
      const wanted = event.reason === "manual" || event.reason === "planned";
      const trouble = wanted ? "restart-asked-for" : "limit-exceeded";
      return past("restart", trouble, event.detail ?? event.reason, "at once");
    }
    case "loop.stalled":
      return past("event loop", "process-hung", `blocked for ${event.forMs} ms`);
    case "component.start-failed":
      return past(event.component, "component-failed", event.error.code);
    case "error.noticed":
      if (event.what !== "spike") return undefined;
      return past(`errors ${event.code}`, "errors-spike", "far more than usual");
    case "storage.commits-lost":
      return past("database", "commits-lost", `${event.commits} commits are gone`, "at once");
    case "queue.commit-failed":
      return past("commit", "disk-full", event.error.code, "at once");
    default:
      return undefined;
  }
}

function open(subject: string, trouble: Trouble, cause: string, when?: "at once"): IncidentStep {
  const measure = measureAgainst(trouble, 0);
  return { kind: "open", subject, trouble, cause, ...(when && { measure }) };
}

function past(subject: string, trouble: Trouble, cause: string, when?: "at once"): IncidentStep {
  const measure = measureAgainst(trouble, 0);
  return { kind: "past", subject, trouble, cause, ...(when && { measure }) };
}
