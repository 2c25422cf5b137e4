/**
 * Delivery: makes a message's recorded call and turns the outcome into the message's result.
 *
 * The rules are in telegram/delivery/delivery-rules.ts.
 */

import { type BackoffOptions, fullJitter } from "../../core/backoff.ts";
import type { BotApi } from "../../core/bot-api.ts";
import type { Clock, Random } from "../../core/clock.ts";
import {
  ChatGoneError,
  type ChatGoneReason,
  recordError,
  TelegramError,
} from "../../core/errors.ts";
import type { MessageRef, Publish } from "../../core/events.ts";
import type { JsonObject, Message } from "../../core/message.ts";
import type { Attempt, HandlerResult, MessageHandler } from "../../core/message-handler.ts";
import type { FactStore } from "../../core/store.ts";
import { answered } from "./asked-answer.ts";
import type { OutgoingCall } from "./call-message.ts";
import { decideDelivery, toCallEnd } from "./delivery-rules.ts";
import type { FloodGate } from "./flood-gate.ts";
import type { RateLimits } from "./rate-limits.ts";
import { type ReferenceStore, resolveReferences, telegramIdsOf } from "./references.ts";

export interface DeliveryDeps {
  /** The API behind the breaker. */
  readonly api: BotApi;
  readonly gate: FloodGate;
  readonly rateLimits: RateLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly facts: Pick<FactStore, "unreachableReason"> & ReferenceStore;
}

const notSentBackoff: BackoffOptions = { initialMs: 500, maxMs: 4_000 };
/** Milliseconds for which it is believed that the bot is outside a group. */
const outsideBelievedMs = 3_600_000;
/** How old a message gets, in milliseconds, while it waits for one in another lane that it refers to. */
const referenceWaitMaxMs = 86_400_000;

export class Delivery implements MessageHandler {
  readonly onRetry = "hold";
  readonly #deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  async handle({ ending, message }: Attempt): Promise<HandlerResult> {
    const call = message.payload as unknown as OutgoingCall;
    const { method, payload } = call;
    const unreachable = await this.#knownUnreachable(message, method);
    if (unreachable) return unreachable;
    const { api, clock, facts, gate, rateLimits } = this.#deps;
    const begunAtMs = clock.monotonicMs();
    try {
      const tooOld = clock.epochMs() - message.createdAtEpochMs > referenceWaitMaxMs;
      const behind = (lane: string) => lane === message.lane || tooOld;
      const fields = await resolveReferences(facts, method, payload, behind);
      const result = await api.call(method, fields, { signal: ending });
      gate.ended(message.id, "answered");
      await rateLimits.accepted(message, begunAtMs);
      return {
        ...(call.askedBy === undefined ? { kind: "done" } : answered(call.askedBy, { result })),
        telegramIds: telegramIdsOf(result),
        ...(message.floodScope !== undefined && { reachedChat: message.floodScope }),
      };
    } catch (error) {
      if (!(error instanceof TelegramError)) throw error;
      return this.#afterFailure(message, call, error);
    }
  }

  /**
   * A broadcast answers no request, so it is not tried when the chat is known to be gone. What waits for
   * a group that the bot was put out of is not tried either, for an hour after the last news: then one
   * message tries whether the bot is back and Telegram's word of it was lost.
   */
  async #knownUnreachable(message: Message, method: string): Promise<HandlerResult | undefined> {
    const { floodScope: chat, id, type } = message;
    if (chat === undefined || (type !== "broadcast" && !isGroup(chat))) return undefined;
    const { clock, facts, gate } = this.#deps;
    const sinceEpochMs = type === "broadcast" ? 0 : clock.epochMs() - outsideBelievedMs;
    const reason = await facts.unreachableReason(chat, sinceEpochMs);
    if (reason === undefined) return undefined;
    gate.ended(id, "not-sent");
    const gone = isGroup(chat) ? "kicked" : (reason as ChatGoneReason);
    return { kind: "dead", reason: "refused", error: new ChatGoneError(method, gone) };
  }

  async #afterFailure(
    message: Message,
    call: OutgoingCall,
    error: TelegramError,
  ): Promise<HandlerResult> {
    const { gate, publish, random, rateLimits } = this.#deps;
    gate.ended(message.id, toCallEnd(error));
    const decision = decideDelivery(error, message.ambiguous, call.payload);
    const goesOn = decision.kind === "not-sent" || decision.kind === "rate-limited";
    if (call.askedBy !== undefined && !goesOn) return answered(call.askedBy, { error });
    switch (decision.kind) {
      case "done":
        return { kind: "done" };
      case "not-sent": {
        const delayMs = Math.ceil(fullJitter(notSentBackoff, message.claims, random));
        return { kind: "postponed", delayMs, parkLane: false, error };
      }
      case "rate-limited": {
        const verdict = await rateLimits.refused(message, decision.retryAfterMs);
        if (verdict.kind === "set-aside") return { kind: "dead", reason: "rate-limited", error };
        return { kind: "postponed", delayMs: verdict.delayMs, parkLane: true, error };
      }
      case "readdress":
        publish({ type: "chat.migrated" });
        return readdress(call, decision.chatId, error);
      case "simplify":
        publish({
          type: "send.simplified",
          ref: toRef(message),
          method: call.method,
          error: this.#record(error),
        });
        return replaceFields(call, decision.fields, message.floodScope, error);
      case "chat-gone": {
        publish({ type: "chat.marked-unreachable", reason: decision.reason });
        const chat = message.floodScope;
        const { reason } = decision;
        return {
          kind: "dead",
          reason: "refused",
          error,
          ...(chat !== undefined && { unreachableChat: { chat, reason } }),
        };
      }
      case "refused":
        return { kind: "dead", reason: "refused", error };
      case "ambiguous":
        this.#reportAmbiguous(message, call.method, decision.policy, error);
        if (decision.policy === "drop") return { kind: "dead", reason: "ambiguous-dropped", error };
        throw error;
    }
  }

  #reportAmbiguous(
    message: Message,
    method: string,
    policy: "retry" | "drop",
    error: TelegramError,
  ): void {
    this.#deps.publish({
      type: "send.cut-off",
      ref: toRef(message),
      method,
      policy,
      error: this.#record(error),
    });
  }

  #record(error: TelegramError) {
    return recordError(error, this.#deps.clock.epochMs());
  }
}

/** Groups, supergroups and channels have negative ids. Source: Bot API, Chat. */
function isGroup(chat: string): boolean {
  return chat.startsWith("-");
}

/** Repeats the call with the chat's new id, at once and in the same lane, to keep the order. */
function readdress(call: OutgoingCall, chatId: number, error: TelegramError): HandlerResult {
  return replaceFields(call, { ...call.payload, chat_id: chatId }, String(chatId), error);
}

/**
 * Makes the call with other fields the message's next attempt: it is on disk before it is made, and
 * flood control counts it like any call.
 */
function replaceFields(
  call: OutgoingCall,
  payload: JsonObject,
  floodScope: string | undefined,
  error: TelegramError,
): HandlerResult {
  const readdressed = { payload: { ...call, payload }, floodScope };
  return { kind: "postponed", delayMs: 0, parkLane: false, error, readdressed };
}

function toRef({ id, pool, type }: Message): MessageRef {
  return { messageId: id, messageType: type, pool };
}
