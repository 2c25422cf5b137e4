/**
 * BotEvent: every fact worth reporting, in one closed union.
 *
 * Named "noun.past-tense". Logger, metrics, dashboard and tests listen; nobody waits for a listener
 * and no listener can break a publisher. No event carries a token or a user's text.
 */
import type { ErrorRecord } from "./errors.ts";
import type { LogLevel } from "./log-level.ts";
import type { DeadReason, MessageType, Pool } from "./message.ts";

/** Identifies a message in events; the log adds the id of the update it comes from. */
export interface MessageRef {
  readonly messageId: number;
  readonly messageType: MessageType;
  readonly pool: Pool;
}

export type BotEvent =
  // life of the process
  | { readonly type: "component.started"; readonly component: string; readonly durationMs: number }
  | {
      readonly type: "component.start-failed";
      readonly component: string;
      readonly error: ErrorRecord;
    }
  | {
      readonly type: "component.drained";
      readonly component: string;
      readonly left: readonly string[];
    }
  | { readonly type: "component.stopped"; readonly component: string }
  | {
      readonly type: "component.stop-failed";
      readonly component: string;
      readonly error: ErrorRecord;
    }
  | { readonly type: "component.stalled"; readonly component: string; readonly overdueMs: number }
  | { readonly type: "component.restart-begun"; readonly component: string; readonly cause: string }
  /** Restarting it alone does not help; the process will be restarted. */
  | { readonly type: "component.given-up"; readonly component: string; readonly cause: string }
  /** It has a new instance, and that has proved that it works. */
  | { readonly type: "component.recovered"; readonly component: string; readonly afterMs: number }
  | {
      readonly type: "component.restart-failed";
      readonly component: string;
      readonly error: ErrorRecord;
    }
  | { readonly type: "process.started"; readonly previousEnd: "clean" | "unclean" | "first" }
  | { readonly type: "process.stop-begun"; readonly reason: string }
  /** A defect: the process ends, and the next one continues from what is on disk. */
  | { readonly type: "process.failed"; readonly thrown: unknown }
  | {
      readonly type: "restart.requested";
      readonly reason: string;
      readonly detail: string | undefined;
    }
  /** The process's own figures could not be read. */
  | { readonly type: "process.measuring-failed"; readonly error: ErrorRecord }
  /** A kind of error is new, is back after a week, or comes unusually often. */
  | {
      readonly type: "error.noticed";
      readonly what: "new" | "back" | "spike";
      readonly fingerprint: string;
      readonly code: string;
      readonly count: number;
    }
  | { readonly type: "alert.failed"; readonly error: ErrorRecord }
  | { readonly type: "loop.stalled"; readonly forMs: number; readonly frames: readonly object[] }
  | { readonly type: "watchdog.failed"; readonly error: ErrorRecord }
  | {
      readonly type: "process.death-found";
      readonly cause: string;
      readonly detail: string | undefined;
    }
  | { readonly type: "safe-mode.entered"; readonly deaths: number; readonly holdMs: number }
  | { readonly type: "safe-mode.released" }
  | { readonly type: "safe-mode.left" }
  // intake
  | { readonly type: "updates.received"; readonly received: number; readonly duplicates: number }
  | {
      readonly type: "update.ignored";
      readonly updateId: number | undefined;
      readonly reason: string;
    }
  | {
      readonly type: "intake.failed";
      readonly error: ErrorRecord;
      readonly retryInMs: number;
      readonly failuresInARow: number;
    }
  | { readonly type: "intake.recovered"; readonly afterMs: number; readonly failures: number }
  | { readonly type: "intake.held-back" }
  | { readonly type: "intake.resumed"; readonly free: number }
  | { readonly type: "webhook.removed" }
  | { readonly type: "webhook.set" }
  /** A request that did not come from Telegram. */
  | { readonly type: "webhook.refused" }
  // queue
  | {
      readonly type: "message.recovered";
      readonly ref: MessageRef;
      readonly deaths: number;
      readonly ambiguous: boolean;
    }
  | {
      readonly type: "message.done";
      readonly ref: MessageRef;
      readonly attempts: number;
      readonly durationMs: number;
      readonly waitedMs: number;
    }
  | {
      readonly type: "message.retry-scheduled";
      readonly ref: MessageRef;
      readonly attempts: number;
      readonly delayMs: number;
      readonly error: ErrorRecord;
    }
  | {
      readonly type: "message.postponed";
      readonly ref: MessageRef;
      readonly delayMs: number;
      readonly error: ErrorRecord;
    }
  | {
      readonly type: "message.dead-lettered";
      readonly ref: MessageRef;
      readonly reason: DeadReason;
      readonly attempts: number;
      readonly error: ErrorRecord | undefined;
    }
  | { readonly type: "message.expired"; readonly ref: MessageRef }
  | { readonly type: "message.found-slow"; readonly ref: MessageRef; readonly afterMs: number }
  | {
      readonly type: "dead-letter.requeued";
      readonly deadLetterId: number;
      readonly messageId: number;
    }
  | { readonly type: "queue.paused"; readonly pool: Pool }
  | { readonly type: "queue.resumed"; readonly pool: Pool }
  | {
      readonly type: "queue.commit-failed";
      readonly error: ErrorRecord;
      readonly retryInMs: number;
    }
  | { readonly type: "queue.swept"; readonly dedupeKeys: number; readonly deadLetters: number }
  // delivery
  | {
      readonly type: "send.cut-off";
      readonly ref: MessageRef;
      readonly method: string;
      readonly policy: "retry" | "drop";
      readonly error: ErrorRecord;
    }
  | { readonly type: "chat.marked-unreachable"; readonly reason: string }
  | { readonly type: "chat.migrated" }
  | {
      readonly type: "telegram.rate-limited";
      readonly scope: "lane" | "global";
      readonly retryAfterMs: number;
    }
  | { readonly type: "breaker.opened"; readonly error: ErrorRecord; readonly retryInMs: number }
  | { readonly type: "breaker.closed"; readonly afterMs: number }
  | {
      readonly type: "connection.lost";
      readonly connection: string;
      readonly error: ErrorRecord | null;
    }
  | {
      readonly type: "connection.reconnect-begun";
      readonly connection: string;
      readonly attempts: number;
    }
  | {
      readonly type: "connection.restored";
      readonly connection: string;
      readonly afterMs: number;
    }
  /** A handler called Telegram after its attempt had ended. Its update is settled, so nothing is lost. */
  | { readonly type: "handler.called-late"; readonly thrown: unknown }
  // log
  | {
      readonly type: "listener.failed";
      /** The event it failed on; absent for a listener of lines. */
      readonly event?: string;
      readonly thrown: unknown;
    }
  | { readonly type: "log.file-failed"; readonly thrown: unknown }
  | { readonly type: "log.file-restored"; readonly missed: number }
  | {
      readonly type: "log.files-removed";
      readonly files: number;
      readonly bytes: number;
      readonly totalBytesMax: number;
    }
  /** The disk is slower than the log: the least important lines are left out of the file. */
  | { readonly type: "log.fallen-behind"; readonly behindBytes: number }
  | { readonly type: "log.caught-up"; readonly dropped: Readonly<Record<LogLevel, number>> }
  /** Many lines said the same, and so many of them were not written. */
  | {
      readonly type: "log.lines-suppressed";
      readonly level: LogLevel;
      /** The event of these lines. */
      readonly of: string;
      readonly suppressed: number;
    }
  | { readonly type: "log.level-changed"; readonly from: LogLevel; readonly to: LogLevel }
  // storage
  | { readonly type: "storage.checked"; readonly durationMs: number }
  | {
      readonly type: "storage.backed-up";
      readonly file: string;
      readonly bytes: number;
      readonly durationMs: number;
    }
  /** The operator has to keep a copy of this file apart from the data. */
  | { readonly type: "encryption-key.created"; readonly file: string }
  /** The data keys are sealed with the new encryption key: the old one is no longer needed. */
  | { readonly type: "encryption-key.changed" }
  | { readonly type: "keys.rotated"; readonly keyId: number }
  /** Nothing is sealed with older keys any more. */
  | { readonly type: "keys.swept"; readonly keyId: number; readonly sealed: number }
  | { readonly type: "keys.sweep-failed"; readonly error: ErrorRecord }
  | { readonly type: "storage.failed"; readonly error: ErrorRecord }
  // monitoring API: an answer could not be given; the client saw a generic error
  | { readonly type: "api.failed"; readonly path: string; readonly error: ErrorRecord }
  // An operator changes something; published before it is done. Never with the token.
  | {
      readonly type: "api.change-requested";
      readonly action: string;
      readonly address: string;
      /** Which of the tokens it was: "operate 1". */
      readonly by: string;
      readonly facts: Readonly<Record<string, number | string | boolean>>;
    }
  // Somebody was not let in.
  | {
      readonly type: "api.refused";
      readonly path: string;
      readonly address: string;
      readonly why: string;
    }
  // health
  | {
      readonly type: "health.changed";
      readonly probe: string;
      readonly status: "healthy" | "degraded" | "unhealthy";
      readonly reason: string | undefined;
    }
  // security: what BotLogger.security records
  | {
      readonly type: "security.recorded";
      readonly name: string;
      readonly userId: number;
      readonly facts: Readonly<Record<string, number | string | boolean>>;
    }
  // business: what BotLogger.business records
  | {
      readonly type: "business.recorded";
      readonly name: string;
      readonly userId: number;
      readonly facts: Readonly<Record<string, number | string | boolean>>;
    };

/** Reports a fact. Never throws. */
export type Publish = (event: BotEvent) => void;
