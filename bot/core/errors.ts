/**
 * Errors: the failures this process expects, by class, with a stable code.
 *
 * They are made once, at the seam where the outside world is called (`telegram/`, `storage/`,
 * `config/`), and understood by policies through `transient` and fields. No message carries the
 * token or a user's text.
 */
import { exitCode } from "./exit-code.ts";

/** A failure this process expects and handles. Anything else is a defect and ends the process. */
export abstract class BotError extends Error {
  /** Stable across releases; what logs, metrics, the API and tests match on. */
  abstract readonly code: string;
  /** Whether the same call may succeed later without anyone changing anything. */
  abstract readonly transient: boolean;
  /** Exit code of a program that this error stops. Default 70, as for a defect. */
  readonly exitCode: number = exitCode.defect;
  /** An action that mends it, for a person. */
  readonly hint: string | undefined;

  constructor(message: string, options?: ErrorOptions & { hint?: string }) {
    super(message, options);
    this.name = new.target.name;
    this.hint = options?.hint;
  }
}

// ---- configuration ------------------------------------------------------------------------------

/** One wrong setting. */
export interface ConfigurationProblem {
  readonly variable: string;
  readonly expected: string;
  /** The value that came, or "[secret]". */
  readonly received: string;
  readonly hint: string;
}

/** The configuration cannot be used; all problems at once. */
export class ConfigurationError extends BotError {
  override readonly code = "CONFIGURATION_INVALID";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    const lines = problems.map(
      (p) => `  ${p.variable}: expected ${p.expected}, received ${p.received}. ${p.hint}`,
    );
    super(`${problems.length} configuration problem(s):\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

/** An operator's program was called with arguments that it does not understand. */
export class UsageError extends BotError {
  override readonly code = "CONFIGURATION_USAGE";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

/** The running bot refused the request of an operator's program. */
export class ApiRefusedError extends BotError {
  override readonly code = "API_REFUSED";
  override readonly transient = true;
  override readonly exitCode = exitCode.tryAgain;
}

/** The books of payments are not the same as Telegram's list. */
export class BooksDifferError extends BotError {
  override readonly code = "BOOKS_DIFFER";
  override readonly transient = false;
  /** Only of `npm run reconcile`. Source: BSD sysexits, EX_DATAERR. */
  override readonly exitCode = 65;

  /** @param lines One for each difference. */
  constructor(lines: readonly string[]) {
    super(`${lines.length} difference(s) between the books and Telegram:\n${lines.join("\n")}`, {
      hint: "An administrator who sends /reconcile to the bot adds what is missing in the books.",
    });
  }
}

/** The key that opens the store is missing, malformed or another one. */
export class EncryptionKeyError extends BotError {
  override readonly code = "CONFIGURATION_ENCRYPTION_KEY";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

// ---- storage ------------------------------------------------------------------------------------

/** The disk or the quota is full; nothing was written. Passes when space is freed. */
export class StorageFullError extends BotError {
  override readonly code = "STORAGE_FULL";
  override readonly transient = true;
  override readonly exitCode = exitCode.storage;
}

/** The disk refused to write or sync: what is on it is in doubt. Never retried. */
export class StorageFailedError extends BotError {
  override readonly code = "STORAGE_FAILED";
  override readonly transient = false;
  override readonly exitCode = exitCode.storage;
}

/** The file is not a database of ours, or a damaged one. It is never overwritten. */
export class StorageCorruptError extends BotError {
  override readonly code = "STORAGE_CORRUPT";
  override readonly transient = false;
  override readonly exitCode = exitCode.storage;
}

/** The data directory or file cannot be opened for writing. */
export class StorageUnavailableError extends BotError {
  override readonly code = "STORAGE_UNAVAILABLE";
  override readonly transient = false;
  override readonly exitCode = exitCode.storage;
}

/** The database that was used here before is gone, or another one is in its place. */
export class StorageMissingError extends BotError {
  override readonly code = "STORAGE_MISSING";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

/** A migration would take away what processes of the version before use. Nothing was changed. */
export class MigrationRefusedError extends BotError {
  override readonly code = "MIGRATION_REFUSED";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

/** The data of this database were moved elsewhere, so nothing may go on with what is left here. */
export class StorageMovedError extends BotError {
  override readonly code = "STORAGE_MOVED";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

/** The bot is to work on PostgreSQL for the first time, and its data are still in the file. */
export class StorageUnmovedError extends BotError {
  override readonly code = "STORAGE_UNMOVED";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

/** Data cannot be moved from here or to there. Nothing was changed. */
export class MoveRefusedError extends BotError {
  override readonly code = "MOVE_REFUSED";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

/** Another process holds the data directory. */
export class StorageInUseError extends BotError {
  override readonly code = "STORAGE_IN_USE";
  override readonly transient = true;
  override readonly exitCode = exitCode.tryAgain;
}

/**
 * The session with the database ended: whether the work was done is not known, and what was in hand
 * belongs to whoever takes it over. Passes when a new session is open.
 */
export class StorageSessionLostError extends BotError {
  override readonly code = "STORAGE_SESSION_LOST";
  override readonly transient = true;
  override readonly exitCode = exitCode.tryAgain;
}

/** Others held what a transaction needed for too long; nothing of it happened. */
export class StorageBusyError extends BotError {
  override readonly code = "STORAGE_BUSY";
  override readonly transient = true;
  override readonly exitCode = exitCode.tryAgain;
}

/** The database at DATABASE_URL cannot carry the bot: a pooler before it, its version, its rights. */
export class DatabaseUnsuitableError extends BotError {
  override readonly code = "DATABASE_UNSUITABLE";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
}

/** The store was closed, so the work was not done. */
export class StorageClosedError extends BotError {
  override readonly code = "STORAGE_CLOSED";
  override readonly transient = true;
  override readonly exitCode = exitCode.storage;
}

/** A backup could not be made; the store itself goes on. */
export class BackupFailedError extends BotError {
  override readonly code = "BACKUP_FAILED";
  override readonly transient = true;
}

/** BACKUP_COMMAND did not take a backup; the backup itself is good. */
export class BackupCommandFailedError extends BotError {
  override readonly code = "BACKUP_COMMAND_FAILED";
  override readonly transient = true;
}

/** The data key cannot be changed now, because an older one may still be needed. */
export class KeyRotationRefusedError extends BotError {
  override readonly code = "KEY_ROTATION_REFUSED";
  override readonly transient = false;
}

// ---- queue and durable steps --------------------------------------------------------------------

/** This attempt was given up before (time limit, restart), so its request was refused. */
export class AttemptOverError extends BotError {
  override readonly code = "ATTEMPT_OVER";
  override readonly transient = true;
}

/** A handler ran longer than its limit. */
export class HandlerTimeoutError extends BotError {
  override readonly code = "HANDLER_TIMEOUT";
  override readonly transient = true;

  constructor(limitMs: number, options?: ErrorOptions) {
    super(`the handler did not finish within ${limitMs} ms`, options);
  }
}

/** A durable step's work waited for something slower than the database. */
export class TransactionTooSlowError extends BotError {
  override readonly code = "TRANSACTION_TOO_SLOW";
  override readonly transient = false;

  constructor(limitMs: number) {
    super(`the transaction was not finished after ${limitMs} ms and was rolled back`, {
      hint: "A transaction may only await its own tables: no network, no timers inside.",
    });
  }
}

/** A durable step returned something that cannot be stored. */
export class StepResultError extends BotError {
  override readonly code = "STEP_RESULT_INVALID";
  override readonly transient = false;
}

/** Data that was to be stored does not have the form or the size it needs. */
export class DataRefusedError extends BotError {
  override readonly code = "DATA_REFUSED";
  override readonly transient = false;
  /** The field that was refused, such as `session.cart[2].price`. */
  readonly field: string;

  /** @param mend A sentence; part of the message, because records keep nothing else. */
  constructor(field: string, expected: string, received: string, mend: string) {
    super(`${field}: expected ${expected}, received ${received}. ${mend}`);
    this.field = field;
  }
}

/** A task in the queue has no handler (any more), or its handler was not reached. */
export class TaskUnknownError extends BotError {
  override readonly code = "TASK_UNKNOWN";
  override readonly transient = false;
}

/** A call to Telegram had no room in the queue, and was kept as a dead letter. */
export class OutboxFullError extends BotError {
  override readonly code = "OUTBOX_FULL";
  override readonly transient = true;

  constructor(method: string, deadLetterId: number) {
    super(
      `${method}: its chat has too many messages that wait; it is dead letter ${deadLetterId}`,
      {
        hint: "Requeue the dead letter when the chat has caught up, and ask for less at a time.",
      },
    );
  }
}

/** Another update has changed the session since this attempt read it; the next attempt reads it again. */
export class SessionConflictError extends BotError {
  override readonly code = "SESSION_CONFLICT";
  override readonly transient = true;

  constructor(property: string) {
    super(`ctx.${property}: another update has changed this session in the meantime`, {
      hint: "A session key that spans chats is shared by updates handled at the same time; include the chat in getSessionKey.",
    });
  }
}

// ---- Telegram -----------------------------------------------------------------------------------

/**
 * Whether a failed call may have had an effect.
 *
 * - `refused`: Telegram answered no; nothing happened.
 * - `not-sent`: the request provably never reached Telegram.
 * - `unknown`: it was written and the answer is missing or unreadable; it may have been executed.
 */
export type CallEffect = "refused" | "not-sent" | "unknown";

/** A Bot API call failed. */
export abstract class TelegramError extends BotError {
  abstract readonly effect: CallEffect;
}

/**
 * Telegram answered 429 and named a waiting time.
 * Source: Bot API, `ResponseParameters.retry_after`, given in seconds.
 */
export class RateLimitedError extends TelegramError {
  override readonly code = "TELEGRAM_RATE_LIMITED";
  override readonly transient = true;
  override readonly effect = "refused";
  /** Milliseconds to wait before the next call to the same chat. */
  readonly retryAfterMs: number;

  constructor(method: string, retryAfterMs: number, options?: ErrorOptions) {
    super(`${method}: Telegram asks to wait ${retryAfterMs} ms`, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The token is refused (401, or the cloud's 404 for a malformed one). */
export class UnauthorizedError extends TelegramError {
  override readonly code = "TELEGRAM_UNAUTHORIZED";
  override readonly transient = false;
  override readonly effect = "refused";

  constructor(method: string, options?: ErrorOptions) {
    super(`${method}: Telegram refuses the token`, {
      ...options,
      hint: "Check TELEGRAM_BOT_TOKEN with @BotFather; the bot keeps re-checking by itself.",
    });
  }
}

/**
 * 409 on getUpdates: `other-poller` when another process polls with this token, `webhook` when a
 * webhook is set. The two have different cures. Source: tdlib/telegram-bot-api, Client.cpp.
 */
export class PollConflictError extends TelegramError {
  override readonly code = "TELEGRAM_CONFLICT";
  override readonly transient = true;
  override readonly effect = "refused";
  readonly reason: "other-poller" | "webhook";

  constructor(reason: "other-poller" | "webhook", options?: ErrorOptions) {
    super(
      reason === "webhook"
        ? "getUpdates: a webhook is set for this bot"
        : "getUpdates: another process polls with the same token",
      options,
    );
    this.reason = reason;
  }
}

/** Telegram has updates for the webhook and does not get them through. */
export class WebhookUnreachableError extends BotError {
  override readonly code = "WEBHOOK_UNREACHABLE";
  override readonly transient = true;

  /** @param reason Telegram's own words. */
  constructor(reason: string) {
    super(`Telegram cannot deliver to the webhook: ${reason}`, {
      hint: "Check WEBHOOK_URL, the proxy in front of WEBHOOK_PORT, and its certificate.",
    });
  }
}

/** The Mini App's address cannot be listened on. */
export class MiniAppListenError extends BotError {
  override readonly code = "MINI_APP_LISTEN_FAILED";
  override readonly transient = true;
  override readonly exitCode = exitCode.tryAgain;
}

/** Why the init data of a Mini App prove nothing. */
export type InitDataFault = "missing" | "malformed" | "forged" | "expired" | "from-the-future";

/** A request of a Mini App does not prove who makes it. */
export class InitDataRefusedError extends BotError {
  override readonly code = "INIT_DATA_REFUSED";
  override readonly transient = false;
  readonly fault: InitDataFault;

  constructor(fault: InitDataFault) {
    super(`the init data are ${fault}`);
    this.fault = fault;
  }
}

/** The webhook's address cannot be listened on. */
export class WebhookListenError extends BotError {
  override readonly code = "WEBHOOK_LISTEN_FAILED";
  override readonly transient = true;
}

/** Why a chat cannot be written to. */
export type ChatGoneReason = "blocked" | "deactivated" | "not-found" | "kicked" | "not-started";

/** This chat will not take messages from us: blocked, deactivated, gone, kicked. */
export class ChatGoneError extends TelegramError {
  override readonly code = "TELEGRAM_CHAT_GONE";
  override readonly transient = false;
  override readonly effect = "refused";
  readonly reason: ChatGoneReason;

  constructor(method: string, reason: ChatGoneReason, options?: ErrorOptions) {
    super(`${method}: the chat cannot be reached (${reason})`, options);
    this.reason = reason;
  }
}

/** Why the chat was gone, as a record of a `ChatGoneError` says it; `undefined` for other records. */
export function chatGoneReasonOf({ code, message }: ErrorRecord): ChatGoneReason | undefined {
  const [, reason] = /\(([a-z-]+)\)$/.exec(message) ?? [];
  return code === "TELEGRAM_CHAT_GONE" ? (reason as ChatGoneReason | undefined) : undefined;
}

/** The group became a supergroup with a new id. Source: `ResponseParameters.migrate_to_chat_id`. */
export class ChatMigratedError extends TelegramError {
  override readonly code = "TELEGRAM_CHAT_MIGRATED";
  override readonly transient = true;
  override readonly effect = "refused";
  readonly migratedToChatId: number;

  constructor(method: string, migratedToChatId: number, options?: ErrorOptions) {
    super(`${method}: the chat has moved to ${migratedToChatId}`, options);
    this.migratedToChatId = migratedToChatId;
  }
}

/** The wished state is there already (not modified, already deleted, already refunded). */
export class AlreadyDoneError extends TelegramError {
  override readonly code = "TELEGRAM_ALREADY_DONE";
  override readonly transient = false;
  override readonly effect = "refused";
}

/** The callback, inline or pre-checkout query is too old to be answered. */
export class QueryTooOldError extends TelegramError {
  override readonly code = "TELEGRAM_QUERY_TOO_OLD";
  override readonly transient = false;
  override readonly effect = "refused";
}

/**
 * Telegram refuses the form of a text: its markup or entities cannot be read, or it is too long. The
 * same words as plain text may pass.
 */
export class FormRefusedError extends TelegramError {
  override readonly code = "TELEGRAM_FORM_REFUSED";
  override readonly transient = false;
  override readonly effect = "refused";
}

/** Any other 4xx: the request itself is wrong and will stay wrong. */
export class CallRefusedError extends TelegramError {
  override readonly code = "TELEGRAM_REFUSED";
  override readonly transient = false;
  override readonly effect = "refused";
  /** HTTP status, 400 to 499. */
  readonly status: number;

  constructor(method: string, status: number, description: string, options?: ErrorOptions) {
    super(`${method}: ${status} ${description}`, options);
    this.status = status;
  }
}

/** The request provably did not reach Telegram: refused connection, DNS, unreachable, proxy. */
export class CallNotSentError extends TelegramError {
  override readonly code = "TELEGRAM_NOT_SENT";
  override readonly transient = true;
  override readonly effect = "not-sent";
}

/** The request was written, the answer is missing, cut, late, 5xx or not JSON. */
export class CallUnknownError extends TelegramError {
  override readonly code = "TELEGRAM_UNKNOWN_OUTCOME";
  override readonly transient = true;
  override readonly effect = "unknown";
}

/** The circuit breaker is open: Telegram is known to be unreachable, the call was not tried. */
export class BreakerOpenError extends TelegramError {
  override readonly code = "TELEGRAM_BREAKER_OPEN";
  override readonly transient = true;
  override readonly effect = "not-sent";
}

/** A call that cannot be recorded, e.g. with a stream in it. */
export class UnrecordableCallError extends BotError {
  override readonly code = "CALL_UNRECORDABLE";
  override readonly transient = false;
}

/** A file is larger than Telegram takes. */
export class FileTooLargeError extends BotError {
  override readonly code = "FILE_TOO_LARGE";
  override readonly transient = false;

  constructor(bytesMax: number) {
    super(`a file to be sent has more than ${bytesMax} bytes`, {
      hint: "A bot can upload photos of 10 MB and other files of 50 MB. Pass a URL or a file_id.",
    });
  }
}

/** A stream or a path that is to be sent cannot be read to its end. */
export class FileUnreadableError extends BotError {
  override readonly code = "FILE_UNREADABLE";
  override readonly transient = true;

  constructor(reason: string, options: ErrorOptions) {
    super(`a file to be sent could not be read to its end (${reason})`, options);
  }
}

/** FILES_MAX_MB is used up by files that wait to be sent. */
export class FilesFullError extends BotError {
  override readonly code = "FILES_FULL";
  override readonly transient = true;

  constructor(bytesMax: number) {
    super(`the files that wait to be sent would have more than ${bytesMax} bytes`, {
      hint: "Raise FILES_MAX_MB, or look why they are not sent: dead letters keep theirs.",
    });
  }
}

/** A file that a recorded call needs is not in the data directory, or damaged. */
export class FileGoneError extends TelegramError {
  override readonly code = "FILE_GONE";
  override readonly transient = false;
  override readonly effect = "refused";

  constructor(name: string, options?: ErrorOptions) {
    super(`the file ${name.slice(0, 12)}… of this call is missing or damaged`, {
      ...options,
      hint: "Backups do not hold files: copy DATA_DIR/<bot id>/files back, if you have it, and requeue.",
    });
  }
}

/** More was read of a recorded call's result than is known before the call is made. */
export class NotSentYetError extends BotError {
  override readonly code = "CALL_NOT_SENT_YET";
  override readonly transient = false;

  constructor(method: string, field: string, reason = "it is sent after the commit") {
    super(`${method}: its result has no "${field}" yet, because ${reason}`, {
      hint: `Only message_id can be read, and passed to later calls. When more is needed, use ctx.now.${method}(…) and accept that it may repeat.`,
    });
  }
}

/** A call refers to a message that was recorded but never reached Telegram, or too long ago. */
export class ReferenceLostError extends TelegramError {
  override readonly code = "REFERENCE_LOST";
  override readonly transient = false;
  override readonly effect = "refused";

  /** @param deadLetterId The dead letter of the message that is referred to, if there is one. */
  constructor(method: string, deadLetterId: number | undefined) {
    super(
      deadLetterId === undefined
        ? `${method}: the message it refers to never got an id, or its id was forgotten`
        : `${method}: the message it refers to is dead letter ${deadLetterId}`,
      {
        hint:
          deadLetterId === undefined
            ? "MESSAGE_IDS_KEEP_DAYS says how long ids are kept."
            : `Put dead letter ${deadLetterId} back into the queue first, then this one.`,
      },
    );
  }
}

/** A call refers to a message that waits in another lane. */
export class ReferenceWaitingError extends TelegramError {
  override readonly code = "REFERENCE_WAITING";
  override readonly transient = true;
  override readonly effect = "not-sent";

  constructor(method: string) {
    super(`${method}: the message it refers to has not been sent yet`);
  }
}

/** The part of any thrown value that may be logged and stored. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly atEpochMs: number;
}

/** Longest error message kept in records and dead letters, in characters. */
const recordedMessageLengthMax = 500;

/**
 * Text in double quotes in a foreign error's message is data, and may be a user's: JSON.parse and
 * Telegram quote the text they were given. Names of code stand in single quotes.
 */
const quotedData = /"[^"]*("|$)/g;

/** Turns anything thrown into a record. A defect's message is kept without data, its stack is not. */
export function recordError(error: unknown, atEpochMs: number): ErrorRecord {
  const code = error instanceof BotError ? error.code : "DEFECT";
  const message = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
  const ours = error instanceof BotError && !(error instanceof TelegramError);
  const clean = ours ? message : message.replace(quotedData, '"…"');
  return { code, message: clean.slice(0, recordedMessageLengthMax), atEpochMs };
}

/** Whether the store could not do what it was asked to, as opposed to the work that it was asked to run. */
export function isStorageError(error: unknown): error is BotError {
  return error instanceof BotError && error.code.startsWith("STORAGE_");
}
