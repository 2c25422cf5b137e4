/**
 * Read answer: turns Telegram's answer to a call into a result or a `TelegramError`.
 *
 * Only this file knows HTTP codes and Telegram's error texts.
 * Source of the texts: `Client.cpp` of tdlib/telegram-bot-api.
 */
import {
  AlreadyDoneError,
  CallNotSentError,
  CallRefusedError,
  CallUnknownError,
  ChatGoneError,
  type ChatGoneReason,
  ChatMigratedError,
  FormRefusedError,
  PollConflictError,
  QueryTooOldError,
  RateLimitedError,
  type TelegramError,
  UnauthorizedError,
} from "../../core/errors.ts";
import { type RefusalFields, readRefusal, readRetryAfterMs } from "./answer-fields.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** @returns the call's result. Throws a `TelegramError` for every other answer. */
export function readAnswer(
  method: string,
  status: number,
  headers: Headers,
  text: string,
): unknown {
  const answer = parseObject(text);
  if (answer?.["ok"] === true && status < 300) return answer["result"];
  const refusal = readRefusal(answer);
  if (refusal) throw refusalToError(method, refusal);
  throw foreignAnswerToError(method, status, headers, text);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // It is not JSON (a proxy, a cut body, an empty refusal), so its status decides.
    return undefined;
  }
}

function refusalToError(method: string, refusal: RefusalFields): TelegramError {
  const { description, error_code: code, parameters } = refusal;
  if (code === 429) return new RateLimitedError(method, readRetryAfterMs(parameters.retry_after));
  if (code === 401) return new UnauthorizedError(method);
  // Telegram answers a malformed token with a bare 404; an unknown method gets a longer text.
  if (code === 404 && description === "Not Found") return new UnauthorizedError(method);
  if (code === 421) return new CallNotSentError(`${method}: the server does not serve this bot`);
  if (code >= 500) return new CallUnknownError(`${method}: ${code} ${describe(description)}`);
  if (code === 409 && method.toLowerCase() === "getupdates") {
    return new PollConflictError(/webhook/i.test(description) ? "webhook" : "other-poller");
  }
  if (parameters.migrate_to_chat_id !== undefined) {
    return new ChatMigratedError(method, parameters.migrate_to_chat_id);
  }
  return textToError(method, code, description);
}

const goneTexts: readonly (readonly [RegExp, ChatGoneReason])[] = [
  [/blocked by the user/i, "blocked"],
  [/user is deactivated/i, "deactivated"],
  [/can't initiate conversation/i, "not-started"],
  [/bot was kicked|not a member of|chat was deleted/i, "kicked"],
  [/chat not found/i, "not-found"],
];

const alreadyDoneText =
  /message is not modified|message to delete not found|CHARGE_ALREADY_REFUNDED/i;
/**
 * What is wrong with the form of a text. The words in capitals come from Telegram's data centres.
 * Source besides `Client.cpp`: td MessageEntity.cpp, MessageContent.cpp.
 */
const formTexts =
  /can't parse (?:message ?)?entit|unsupported parse_mode|(?:message|text|caption) is too long|(?:MESSAGE|CAPTION)_TOO_LONG|\bENTIT(?:Y|IES)_[A-Z]/i;
const tooOldText = /query is too old|query ID is invalid/i;

function textToError(method: string, code: number, description: string): TelegramError {
  if (alreadyDoneText.test(description)) {
    return new AlreadyDoneError(`${method}: ${describe(description)}`);
  }
  if (tooOldText.test(description)) return new QueryTooOldError(`${method}: the query is too old`);
  if (code === 400 && formTexts.test(description)) {
    return new FormRefusedError(`${method}: ${code} ${describe(description)}`);
  }
  const gone = goneTexts.find(([text]) => text.test(description));
  if (gone) return new ChatGoneError(method, gone[1]);
  return new CallRefusedError(method, code, describe(description));
}

/** Statuses with which the Bot API server itself refuses a call without a body. */
const emptyRefusals = new Set([400, 413, 414, 415, 431, 501, 505]);

/** Judges an answer that is not Bot API JSON: a proxy's page, a cut body, an empty refusal. */
function foreignAnswerToError(
  method: string,
  status: number,
  headers: Headers,
  text: string,
): TelegramError {
  if (status === 429) {
    return new RateLimitedError(method, readRetryAfterMs(headers["retry-after"]));
  }
  if (emptyRefusals.has(status) && text.length === 0) {
    return new CallRefusedError(method, status, "empty answer");
  }
  // A server in between refused, so Telegram never saw the call.
  if (status >= 400 && status < 500) {
    return new CallNotSentError(`${method}: something in between answered ${status}`);
  }
  return new CallUnknownError(`${method}: unreadable answer with status ${status}`);
}

/** Removes quotations from a description: Telegram may quote a piece of what was sent. */
function describe(description: string): string {
  return description.replace(/"[^"]*"/g, '"…"').slice(0, 200);
}
