/** Outcome report: counts the outcomes of messages and publishes an event for each. */
import type { ErrorRecord } from "../../core/errors.ts";
import type { MessageRef, Publish } from "../../core/events.ts";
import type { Message } from "../../core/message.ts";
import type { AttemptOutcome, EnqueueResult } from "../../core/store.ts";

/** Counts since the start. */
export interface QueueCounts {
  queued: number;
  duplicates: number;
  done: number;
  retried: number;
  postponed: number;
  dead: number;
  expired: number;
  recovered: number;
}

export interface OutcomeReportDeps {
  readonly publish: Publish;
  /** The store's clock, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly record: (error: unknown) => ErrorRecord;
}

export class OutcomeReport {
  readonly #deps: OutcomeReportDeps;
  readonly #counts: QueueCounts = {
    queued: 0,
    duplicates: 0,
    done: 0,
    retried: 0,
    postponed: 0,
    dead: 0,
    expired: 0,
    recovered: 0,
  };

  constructor(deps: OutcomeReportDeps) {
    this.#deps = deps;
  }

  get counts(): Readonly<QueueCounts> {
    return { ...this.#counts };
  }

  enqueued(results: readonly EnqueueResult[]): void {
    let replaced = 0;
    for (const result of results) {
      if (result.kind === "duplicate") this.#counts.duplicates++;
      else if (result.kind === "lane-full") this.#counts.dead++;
      else {
        this.#counts.queued++;
        replaced += result.replaced ?? 0;
      }
    }
    if (replaced > 0) this.#deps.publish({ type: "messages.replaced", replaced });
  }

  /**
   * Reports the end of an attempt; its outcome is already on disk.
   *
   * @param error What the attempt failed with, if it failed.
   */
  ended(message: Message, outcome: AttemptOutcome, error: unknown, durationMs: number): void {
    const { now, publish, record } = this.#deps;
    const ref = toRef(message);
    const attempts = message.attempts + 1;
    switch (outcome.kind) {
      case "done": {
        this.#counts.done++;
        const waitedMs = Math.max(0, now() - message.createdAtEpochMs - durationMs);
        publish({ type: "message.done", ref, attempts, durationMs, waitedMs });
        return;
      }
      case "retry": {
        this.#counts.retried++;
        const delayMs = outcome.availableAtEpochMs - now();
        publish({ type: "message.retry-scheduled", ref, attempts, delayMs, error: outcome.error });
        return;
      }
      case "postponed": {
        this.#counts.postponed++;
        const delayMs = outcome.availableAtEpochMs - now();
        publish({ type: "message.postponed", ref, delayMs, error: record(error) });
        return;
      }
      case "dead":
        this.#died(message, outcome);
        return;
      case "expired":
        this.#counts.expired++;
        publish({ type: "message.expired", ref });
        return;
      case "released":
        return;
    }
  }

  /** Reports a message that was being worked on when an earlier process died. */
  recovered(message: Message, outcome: AttemptOutcome | undefined): void {
    this.#counts.recovered++;
    const ambiguous = message.pool !== "handling";
    const { deaths } = message;
    this.#deps.publish({ type: "message.recovered", ref: toRef(message), deaths, ambiguous });
    if (outcome?.kind === "dead") this.#died(message, outcome);
  }

  #died(message: Message, { error, reason }: AttemptOutcome & { kind: "dead" }): void {
    this.#counts.dead++;
    const attempts = message.attempts + (reason === "quarantined" ? 0 : 1);
    this.#deps.publish({
      type: "message.dead-lettered",
      ref: toRef(message),
      reason,
      attempts,
      error,
    });
  }
}

/** Returns the reference by which events name a message. */
export function toRef(message: Message): MessageRef {
  return { messageId: message.id, messageType: message.type, pool: message.pool };
}
