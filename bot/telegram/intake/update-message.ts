/**
 * Update message: turns a raw update into a message for the queue.
 *
 * Trusts only `update_id`. Updates are ordered by chat, and without a chat by user. A check-out has a
 * lane of its own: it must be answered within 10 s, and nothing else of its person depends on it.
 */

import type { RawUpdate } from "../../core/intake.ts";
import { type JsonObject, laneOfChat, type NewMessage, type Priority } from "../../core/message.ts";

/**
 * The update types that are always requested. They are always listed, because an omitted list keeps the last one.
 */
export const allowedUpdates: readonly string[] = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "callback_query",
  "inline_query",
  "chosen_inline_result",
  "shipping_query",
  "pre_checkout_query",
  "my_chat_member",
];

/** @param more Kinds that the bot's handlers ask for, in any order. */
export function allowedUpdatesWith(more: readonly string[]): readonly string[] {
  return [...new Set([...allowedUpdates, ...more])];
}

/** A user sees a spinner until these are answered. */
const highPriorityTypes = [
  "callback_query",
  "pre_checkout_query",
  "shipping_query",
  "inline_query",
];

/** Both must be answered within 10 s. Source: Bot API, answerPreCheckoutQuery, answerShippingQuery. */
const checkoutTypes = ["pre_checkout_query", "shipping_query"];

/** @returns the update, or `undefined` when it has no usable id. */
export function parseUpdate(value: unknown): RawUpdate | undefined {
  if (typeof value !== "object" || value === null || !("update_id" in value)) return undefined;
  return Number.isSafeInteger(value.update_id) ? (value as RawUpdate) : undefined;
}

/** @param botId Part of the dedupe keys, because update ids are unique only per bot. */
export function toUpdateMessage(update: RawUpdate, botId: string): NewMessage {
  const type = Object.keys(update).find((key) => key !== "update_id") ?? "empty";
  const content = asObject(update[type]);
  const priority: Priority = highPriorityTypes.includes(type) ? "high" : "normal";
  const callbackId = type === "callback_query" ? content["id"] : undefined;
  return {
    type: "update",
    pool: "handling",
    lane: laneOf(type, content),
    priority,
    payload: update as unknown as JsonObject,
    dedupeKeys: [
      `update:${botId}:${update.update_id}`,
      // The same button press can come again under a new update id when the user's client
      // reconnects.
      ...(typeof callbackId === "string" ? [`callback:${botId}:${callbackId}`] : []),
    ],
  };
}

/** The chat that an update belongs to; for a button press, the chat of its message. */
export function chatIdOf(update: RawUpdate): number | undefined {
  const type = Object.keys(update).find((key) => key !== "update_id");
  return type === undefined ? undefined : idOf(chatOf(asObject(update[type])));
}

/** The language of the user who caused an update, as reported by their client; not trusted. */
export function languageCodeOf(update: RawUpdate): string | undefined {
  const type = Object.keys(update).find((key) => key !== "update_id");
  const from = asObject(type === undefined ? undefined : asObject(update[type])["from"]);
  return typeof from["language_code"] === "string" ? from["language_code"] : undefined;
}

function laneOf(type: string, content: Readonly<Record<string, unknown>>): string {
  const { id: queryId } = content;
  if (checkoutTypes.includes(type) && typeof queryId === "string") return `${type}:${queryId}`;
  const chat = idOf(chatOf(content));
  if (chat !== undefined) return laneOfChat(chat);
  const user = idOf(content["from"] ?? content["user"]);
  return user === undefined ? `type:${type}` : laneOfChat(user);
}

function chatOf(content: Readonly<Record<string, unknown>>): unknown {
  return content["chat"] ?? asObject(content["message"])["chat"];
}

function idOf(value: unknown): number | undefined {
  const id = asObject(value)["id"];
  return typeof id === "number" && Number.isSafeInteger(id) ? id : undefined;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
