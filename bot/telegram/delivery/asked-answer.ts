/**
 * Asked answer: how the outcome of a call comes back to the process that asked for it (promise P6).
 *
 * Where several processes share a store, one of them makes all calls that flood control counts. A handler
 * elsewhere that cannot wait for its commit (`ctx.now`) queues the call, and reads the answer from a
 * document, which the sender writes in the commit that ends the call.
 */
import type { Documents } from "../../core/documents.ts";
import {
  AlreadyDoneError,
  type BotError,
  CallNotSentError,
  CallRefusedError,
  CallUnknownError,
  ChatGoneError,
  ChatMigratedError,
  FormRefusedError,
  QueryTooOldError,
  RateLimitedError,
  type TelegramError,
  UnauthorizedError,
} from "../../core/errors.ts";
import type { HandlerResult } from "../../core/message-handler.ts";

const collection = "kit:asked-answers";
/** What nobody has read by then never will be: who asked has given up. */
const keepMs = 300_000;

type Answer =
  | { readonly result: unknown }
  | {
      readonly code: string;
      readonly message: string;
      readonly retryAfterMs?: number;
      readonly migratedToChatId?: number;
      readonly reason?: string;
      readonly status?: number;
    };

/** Ends a call's message with what Telegram gave, or with why it failed. */
export function answered(
  askedBy: string,
  outcome: { readonly result: unknown } | { readonly error: BotError },
): HandlerResult & { kind: "done" } {
  return {
    kind: "done",
    write: ({ documents }) => documents.put(collection, askedBy, record(outcome), { keepMs }),
  };
}

/** Takes the answer away. @throws the call's error. @returns `undefined` while there is none. */
export async function takeAnswer(
  documents: Documents,
  askedBy: string,
): Promise<Answer | undefined> {
  const answer = await documents.get<Answer>(collection, askedBy);
  if (answer) await documents.delete(collection, askedBy);
  return answer;
}

/** @throws {TelegramError} as the call did for the sender. */
export function resultOf(method: string, answer: Answer): unknown {
  if ("result" in answer) return answer.result;
  throw revive(method, answer);
}

function record(outcome: { readonly result: unknown } | { readonly error: BotError }): Answer {
  if ("result" in outcome) return outcome;
  const { code, message } = outcome.error;
  const { migratedToChatId, reason, retryAfterMs, status } = outcome.error as Partial<
    RateLimitedError & ChatMigratedError & ChatGoneError & CallRefusedError
  >;
  return {
    ...{ code, message },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(migratedToChatId !== undefined && { migratedToChatId }),
    ...(reason !== undefined && { reason }),
    ...(status !== undefined && { status }),
  };
}

function revive(method: string, failed: Exclude<Answer, { result: unknown }>): TelegramError {
  const { code, message, migratedToChatId = 0, reason, retryAfterMs = 1_000, status } = failed;
  switch (code) {
    case "TELEGRAM_RATE_LIMITED":
      return new RateLimitedError(method, retryAfterMs);
    case "TELEGRAM_UNAUTHORIZED":
      return new UnauthorizedError(method);
    case "TELEGRAM_CHAT_GONE":
      return new ChatGoneError(method, reason as ChatGoneError["reason"]);
    case "TELEGRAM_CHAT_MIGRATED":
      return new ChatMigratedError(method, migratedToChatId);
    case "TELEGRAM_ALREADY_DONE":
      return new AlreadyDoneError(message);
    case "TELEGRAM_QUERY_TOO_OLD":
      return new QueryTooOldError(message);
    case "TELEGRAM_FORM_REFUSED":
      return new FormRefusedError(message);
    case "TELEGRAM_REFUSED":
      return new CallRefusedError(method, status ?? 400, message.replace(/^\S+: \d+ /, ""));
    case "TELEGRAM_NOT_SENT":
    case "TELEGRAM_BREAKER_OPEN":
      return new CallNotSentError(message);
    default:
      return new CallUnknownError(message);
  }
}
