/**
 * Delivery: decides what follows from the outcome of a call to Telegram (promises P4 and P6).
 *
 *   effect of the call     consequence
 *   delivered              done
 *   provably not sent      tried again after the breaker or a short wait, no attempt spent
 *   429                    lane parked for retry_after, no attempt spent; a message that would wait
 *                          for too long is set aside (rate-limits.ts)
 *   unknown (ambiguous)    the message's own policy: tried again (an attempt spent), or given up
 *   chat gone              dead letter, the chat is marked unreachable
 *   chat migrated          tried again at once, with the new id
 *   already so, too old    done: nothing more can be achieved
 *   form of a text refused tried again at once, as plain text; a dead letter when it is plain
 *   it refers to a message tried again when that waits in another lane; a dead letter when it never got
 *   without an id          one
 *   any other refusal      dead letter
 */
import {
  AlreadyDoneError,
  ChatGoneError,
  ChatMigratedError,
  FormRefusedError,
  QueryTooOldError,
  RateLimitedError,
  ReferenceLostError,
  TelegramError,
  UnauthorizedError,
} from "../../core/errors.ts";
import type { AmbiguousPolicy, JsonObject } from "../../core/message.ts";
import type { CallEnd } from "./flood-rules.ts";
import { simplify } from "./text-fields-rules.ts";

export type DeliveryDecision =
  | { readonly kind: "done" }
  | { readonly kind: "not-sent" }
  | { readonly kind: "rate-limited"; readonly retryAfterMs: number }
  | { readonly kind: "ambiguous"; readonly policy: AmbiguousPolicy }
  | { readonly kind: "readdress"; readonly chatId: number }
  | { readonly kind: "simplify"; readonly fields: JsonObject }
  | { readonly kind: "chat-gone"; readonly reason: string }
  | { readonly kind: "refused" };

/** Decides what follows when a call with these fields failed with `error`. */
export function decideDelivery(
  error: TelegramError,
  policy: AmbiguousPolicy,
  fields: JsonObject,
): DeliveryDecision {
  if (error instanceof RateLimitedError) {
    return { kind: "rate-limited", retryAfterMs: error.retryAfterMs };
  }
  if (error instanceof ChatMigratedError) {
    return { kind: "readdress", chatId: error.migratedToChatId };
  }
  if (error instanceof ChatGoneError) return { kind: "chat-gone", reason: error.reason };
  if (error instanceof AlreadyDoneError || error instanceof QueryTooOldError) {
    return { kind: "done" };
  }
  // A refused token says nothing about the message: it waits until the token is good again.
  if (error instanceof UnauthorizedError || error.effect === "not-sent")
    return { kind: "not-sent" };
  if (error.effect === "unknown") return { kind: "ambiguous", policy };
  const simplified = error instanceof FormRefusedError ? simplify(fields) : undefined;
  return simplified ? { kind: "simplify", fields: simplified } : { kind: "refused" };
}

/** Returns how flood control counts a call that failed with `error`. */
export function toCallEnd(error: unknown): CallEnd {
  if (!(error instanceof TelegramError)) return "unknown";
  // Nothing was sent, although no later attempt can succeed.
  if (error instanceof ReferenceLostError) return "not-sent";
  return error.effect === "refused" ? "answered" : error.effect;
}

/** Whether the breaker counts `error` as a failure of Telegram as a whole. */
export function saysTelegramIsDown(error: TelegramError): boolean {
  return error.effect !== "refused";
}
