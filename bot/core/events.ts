/**
 * BotEvent: every fact worth reporting, in one closed union.
 *
 * Named "noun.past-tense". Logger, metrics, dashboard and tests listen. A publisher does not
 * wait for its listeners, and no listener can break it. No event carries a token or a user's text.
 */
import type { ErrorRecord, InitDataFault } from "./errors.ts";
import type { LogLevel } from "./log-level.ts";
import type { DeadReason, MessageType, Pool } from "./message.ts";
import type { Role } from "./roles.ts";

/** Identifies a message in events; the log adds the id of the update it comes from. */
export interface MessageRef {
  readonly messageId: number;
  readonly messageType: MessageType;
  readonly pool: Pool;
}

export type BotEvent =
  // life of the process
  /** A component has started. */
  | { readonly type: "component.started"; readonly component: string; readonly durationMs: number }
  /** A component could not start, so the process will not run. */
  | {
      readonly type: "component.start-failed";
      readonly component: string;
      readonly error: ErrorRecord;
    }
  /** A component has finished its work before a stop; `left` is what it could not finish. */
  | {
      readonly type: "component.drained";
      readonly component: string;
      readonly left: readonly string[];
    }
  /** A component has stopped. */
  | { readonly type: "component.stopped"; readonly component: string }
  /** A component did not stop as it should, and was left behind. */
  | {
      readonly type: "component.stop-failed";
      readonly component: string;
      readonly error: ErrorRecord;
    }
  /** A component has missed its heartbeat in two looks. */
  | { readonly type: "component.stalled"; readonly component: string; readonly overdueMs: number }
  /** A component is being replaced by a new instance. */
  | { readonly type: "component.restart-begun"; readonly component: string; readonly cause: string }
  /** Restarting it alone does not help; the process will be restarted. */
  | { readonly type: "component.given-up"; readonly component: string; readonly cause: string }
  /** It has a new instance, and that has proved that it works. */
  | { readonly type: "component.recovered"; readonly component: string; readonly afterMs: number }
  /** A restart did not make the component work; the next measure follows. */
  | {
      readonly type: "component.restart-failed";
      readonly component: string;
      readonly error: ErrorRecord;
    }
  /** The process has opened its data. */
  | { readonly type: "process.started"; readonly previousEnd: "clean" | "unclean" | "first" }
  /** The process has begun to stop. */
  | { readonly type: "process.stop-begun"; readonly reason: string }
  /** A defect: the process ends, and the next one continues from what is on disk. */
  | { readonly type: "process.failed"; readonly thrown: unknown }
  /** A restart of the process was asked for. */
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
  /** An alert could not be delivered. */
  | { readonly type: "alert.failed"; readonly error: ErrorRecord }
  /** The event loop stood still; `frames` show where. */
  | { readonly type: "loop.stalled"; readonly forMs: number; readonly frames: readonly object[] }
  /** The watchdog does not work, so a hang would not be noticed. */
  | { readonly type: "watchdog.failed"; readonly error: ErrorRecord }
  /** The process before this one did not end cleanly. */
  | {
      readonly type: "process.death-found";
      readonly cause: string;
      readonly detail: string | undefined;
    }
  /** Earlier processes kept dying, so updates are handled one at a time at first. */
  | { readonly type: "safe-mode.entered"; readonly deaths: number }
  /** Twice as many updates are handled at a time as before. */
  | { readonly type: "safe-mode.relaxed"; readonly concurrency: number }
  /** The process has lived long enough: safe mode is over. */
  | { readonly type: "safe-mode.left" }
  // intake
  /** A batch of updates is on disk. */
  | { readonly type: "updates.received"; readonly received: number; readonly duplicates: number }
  /** An update is of no use to the bot, and was put aside. */
  | {
      readonly type: "update.ignored";
      readonly updateId: number | undefined;
      readonly reason: string;
    }
  /** Telegram could not be asked for updates; the next attempt follows after a back-off. */
  | {
      readonly type: "intake.failed";
      readonly error: ErrorRecord;
      readonly retryInMs: number;
      readonly failuresInARow: number;
    }
  /** Updates come in again. */
  | { readonly type: "intake.recovered"; readonly afterMs: number; readonly failures: number }
  /** The queue is full, so no updates are taken. */
  | { readonly type: "intake.held-back" }
  /** There is room again, so updates are taken. */
  | { readonly type: "intake.resumed"; readonly free: number }
  /** A webhook left over from before was removed, because polling is configured. */
  | { readonly type: "webhook.removed" }
  /** The webhook was set at Telegram. */
  | { readonly type: "webhook.set" }
  /** A request that did not come from Telegram. */
  | { readonly type: "webhook.refused" }
  /** A request of the Mini App was refused: its init data prove nothing, or its person asks too often. */
  | { readonly type: "mini-app.refused"; readonly reason: InitDataFault | "too-many-requests" }
  /** The Mini App could not answer. */
  | { readonly type: "mini-app.failed"; readonly path: string; readonly error: ErrorRecord }
  // queue
  /** A message was found that a dead process had been working on. */
  | {
      readonly type: "message.recovered";
      readonly ref: MessageRef;
      readonly deaths: number;
      readonly ambiguous: boolean;
    }
  /** A message was worked on successfully. */
  | {
      readonly type: "message.done";
      readonly ref: MessageRef;
      readonly attempts: number;
      readonly durationMs: number;
      readonly waitedMs: number;
    }
  /** An attempt failed, and another one follows. */
  | {
      readonly type: "message.retry-scheduled";
      readonly ref: MessageRef;
      readonly attempts: number;
      readonly delayMs: number;
      readonly error: ErrorRecord;
    }
  /** A message has to wait through no fault of its own; no attempt is spent. */
  | {
      readonly type: "message.postponed";
      readonly ref: MessageRef;
      readonly delayMs: number;
      readonly error: ErrorRecord;
    }
  /** A message was given up, and is kept as a dead letter. */
  | {
      readonly type: "message.dead-lettered";
      readonly ref: MessageRef;
      readonly reason: DeadReason;
      readonly attempts: number;
      readonly error: ErrorRecord | undefined;
    }
  /** Messages that waited left the queue, because newer ones set the same, such as one text twice. */
  | { readonly type: "messages.replaced"; readonly replaced: number }
  /** A message came too late to be of use. */
  | { readonly type: "message.expired"; readonly ref: MessageRef }
  /** Instants of a schedule passed while nothing could run them, and its policy left them out. */
  | {
      readonly type: "schedule.instants-missed";
      readonly schedule: string;
      readonly policy: string;
      /** The first of them. */
      readonly fromEpochMs: number;
      /** The first instant after them; `undefined`: there is none any more. */
      readonly beforeEpochMs: number | undefined;
    }
  /** A handler takes longer than HANDLER_SLOW_MS; its slot is lent to others. */
  | { readonly type: "message.found-slow"; readonly ref: MessageRef; readonly afterMs: number }
  /** An operator put a dead letter back into the queue. */
  | {
      readonly type: "dead-letter.requeued";
      readonly deadLetterId: number;
      readonly messageId: number;
    }
  /** An operator paused a pool of workers. */
  | { readonly type: "queue.paused"; readonly pool: Pool }
  /** An operator resumed a pool of workers. */
  | { readonly type: "queue.resumed"; readonly pool: Pool }
  /**
   * The store did not take a commit; it is tried again after a back-off. Claims of one pool that fail in a row
   * for the same reason are told once.
   */
  | {
      readonly type: "queue.commit-failed";
      readonly error: ErrorRecord;
      readonly retryInMs: number;
    }
  /** Dedupe keys and dead letters past their age were deleted. */
  | { readonly type: "queue.swept"; readonly dedupeKeys: number; readonly deadLetters: number }
  /** PostgreSQL was replaced by a server that does not have the last commits of this process. */
  | { readonly type: "storage.commits-lost"; readonly commits: number }
  /** This process now does something for all that share the database. */
  | { readonly type: "role.gained"; readonly role: Role }
  /** It does it no longer: its session was lost, or it stops. */
  | { readonly type: "role.lost"; readonly role: Role }
  // delivery
  /** A send was cut off after it was written, so nothing tells whether it arrived. */
  | {
      readonly type: "send.cut-off";
      readonly ref: MessageRef;
      readonly method: string;
      readonly policy: "retry" | "drop";
      readonly error: ErrorRecord;
    }
  /** Telegram refused the form of a text, so the send is made once more as plain text. */
  | {
      readonly type: "send.simplified";
      readonly ref: MessageRef;
      readonly method: string;
      readonly error: ErrorRecord;
    }
  /** A chat cannot be written to any more; what is queued for it is given up. */
  | { readonly type: "chat.marked-unreachable"; readonly reason: string }
  /** A group became a supergroup; its messages follow it. */
  | { readonly type: "chat.migrated" }
  /** Telegram answered 429 and named a waiting time. */
  | {
      readonly type: "telegram.rate-limited";
      readonly scope: "lane" | "global";
      readonly retryAfterMs: number;
      /** Whether the message became a dead letter, because it would have waited for too long. */
      readonly setAside: boolean;
    }
  /** Calls to Telegram keep failing, so they are held back. */
  | { readonly type: "breaker.opened"; readonly error: ErrorRecord; readonly retryInMs: number }
  /** Calls to Telegram work again. */
  | { readonly type: "breaker.closed"; readonly afterMs: number }
  /** A connection does not work any more. */
  | {
      readonly type: "connection.lost";
      readonly connection: string;
      readonly error: ErrorRecord | null;
    }
  /** Another attempt is made to restore a connection. */
  | {
      readonly type: "connection.reconnect-begun";
      readonly connection: string;
      readonly attempts: number;
    }
  /** A connection works again. */
  | {
      readonly type: "connection.restored";
      readonly connection: string;
      readonly afterMs: number;
    }
  /** A handler called Telegram after its attempt had ended. Its update is settled: nothing is lost. */
  | { readonly type: "handler.called-late"; readonly thrown: unknown }
  // log
  /** A listener of events or log lines threw an error. */
  | {
      readonly type: "listener.failed";
      /** The event it failed on; absent for a listener of lines. */
      readonly event?: string;
      readonly thrown: unknown;
    }
  /** The log file cannot be written; important lines go to stderr. */
  | { readonly type: "log.file-failed"; readonly thrown: unknown }
  /** The log file can be written again; `missed` important lines were added to it. */
  | { readonly type: "log.file-restored"; readonly missed: number }
  /** Old log files were removed. */
  | {
      readonly type: "log.files-removed";
      readonly files: number;
      readonly bytes: number;
      readonly totalBytesMax: number;
    }
  /** The disk is slower than the log: the least important lines are left out of the file. */
  | { readonly type: "log.fallen-behind"; readonly behindBytes: number }
  /** The disk has caught up with the log; `dropped` counts the lines that it cost. */
  | { readonly type: "log.caught-up"; readonly dropped: Readonly<Record<LogLevel, number>> }
  /** Many lines said the same, and so many of them were not written. */
  | {
      readonly type: "log.lines-suppressed";
      readonly level: LogLevel;
      /** The event of these lines. */
      readonly of: string;
      readonly suppressed: number;
    }
  /** An operator changed the log level. */
  | { readonly type: "log.level-changed"; readonly from: LogLevel; readonly to: LogLevel }
  // storage
  /** SQLite checked the database after an unclean end, and found it whole. */
  | { readonly type: "storage.checked"; readonly durationMs: number }
  /** A verified copy of the database was written. */
  | {
      readonly type: "storage.backed-up";
      readonly file: string;
      readonly bytes: number;
      readonly durationMs: number;
    }
  /** No backup could be made, or it was not the same as the data; it is tried again. */
  | { readonly type: "backup.failed"; readonly error: ErrorRecord }
  /** BACKUP_COMMAND has succeeded on a backup. */
  | {
      readonly type: "backup.carried-away";
      readonly file: string;
      readonly durationMs: number;
      /** The end of what the command wrote. */
      readonly output: string;
    }
  /** BACKUP_COMMAND failed on a backup; it is tried again. */
  | {
      readonly type: "backup.command-failed";
      readonly file: string;
      readonly error: ErrorRecord;
      /** The end of what the command wrote. */
      readonly output: string;
    }
  /** The operator has to keep a copy of this file apart from the data. */
  | { readonly type: "encryption-key.created"; readonly file: string }
  /** The data keys are sealed with the new encryption key: the old one is no longer needed. */
  | { readonly type: "encryption-key.changed" }
  /** A new data key seals from now on. */
  | { readonly type: "keys.rotated"; readonly keyId: number }
  /** The new data key does not seal yet: these processes, which share the store, do not know it. */
  | {
      readonly type: "keys.rotation-waits";
      readonly keyId: number;
      readonly processes: readonly number[];
    }
  /** Nothing is sealed with older keys any more. */
  | { readonly type: "keys.swept"; readonly keyId: number; readonly sealed: number }
  /** Sealing older rows with the new key failed, or learning of it. */
  | { readonly type: "keys.sweep-failed"; readonly error: ErrorRecord }
  /** The disk can no longer be trusted; the process ends. */
  | { readonly type: "storage.failed"; readonly error: ErrorRecord }
  // monitoring API
  /** The monitoring API could not answer; the client saw a generic error. */
  | { readonly type: "api.failed"; readonly path: string; readonly error: ErrorRecord }
  /** An operator asked for a change. Published before it is made, and never with the token. */
  | {
      readonly type: "api.change-requested";
      readonly action: string;
      readonly address: string;
      /** Which of the tokens it was: "operate 1". */
      readonly by: string;
      readonly facts: Readonly<Record<string, number | string | boolean>>;
    }
  /** An operator asked for people's words, which only the right to operate shows. Never with the words. */
  | {
      readonly type: "api.payload-requested";
      readonly action: string;
      readonly address: string;
      /** Which of the tokens it was: "operate 1". */
      readonly by: string;
      readonly facts: Readonly<Record<string, number | string | boolean>>;
    }
  /** The monitoring API did not let a caller in. */
  | {
      readonly type: "api.refused";
      readonly path: string;
      readonly address: string;
      readonly why: string;
    }
  // health
  /** A probe's verdict has changed. */
  | {
      readonly type: "health.changed";
      readonly probe: string;
      readonly status: "healthy" | "degraded" | "unhealthy";
      readonly reason: string | undefined;
    }
  /** HEARTBEAT_URL does not take calls; reported once. */
  | { readonly type: "dead-mans-switch.failed"; readonly error: ErrorRecord }
  /** HEARTBEAT_URL takes calls again. */
  | { readonly type: "dead-mans-switch.recovered" }
  // the module's own
  /**
   * The books of payments were not the same as Telegram's. `openCount` differences need an operator;
   * `settledCount` payments or refunds were missing, and were added.
   */
  | {
      readonly type: "payments.differed";
      readonly openCount: number;
      readonly settledCount: number;
      /** One of them: its charge id, and what differs. */
      readonly chargeId: string;
      readonly kind: string;
    }
  /** The books of payments are the same as Telegram's. */
  | { readonly type: "payments.agreed"; readonly transactions: number }
  /** A security event, for `BotLogger.security`. */
  | {
      readonly type: "security.recorded";
      readonly name: string;
      readonly userId: number;
      readonly facts: Readonly<Record<string, number | string | boolean>>;
    }
  /** A business event, for `BotLogger.business`. */
  | {
      readonly type: "business.recorded";
      readonly name: string;
      readonly userId: number;
      readonly facts: Readonly<Record<string, number | string | boolean>>;
    };

/** Reports a fact. Never throws. */
export type Publish = (event: BotEvent) => void;
