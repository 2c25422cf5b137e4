/**
 * Incoming: turns a raw update into a message for the queue.
 *
 * Trusts nothing but `update_id`. What decides the order is the chat; what has no chat is ordered by
 * its user.
 */

import type { RawUpdate } from "../../core/intake.ts";
import { type JsonObject, laneOfChat, type NewMessage, type Priority } from "../../core/message.ts";

/** Update types asked for, always explicitly: an omitted list keeps whatever was set before. */
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

/** Somebody is looking at a spinner. */
const highPriorityTypes = [
  "callback_query",
  "pre_checkout_query",
  "shipping_query",
  "inline_query",
];

/** @returns the update, or `undefined` when it has no usable id. */
export function parseUpdate(value: unknown): RawUpdate | undefined {
  if (typeof value !== "object" || value === null || !("update_id" in value)) return undefined;
  return Number.isSafeInteger(value.update_id) ? (value as RawUpdate) : undefined;
}

/** @param botId Ids of updates are only unique per bot. */
export function toIncomingMessage(update: RawUpdate, botId: string): NewMessage {
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
      // The same press can come again under a new update id when the client reconnects.
      ...(typeof callbackId === "string" ? [`callback:${botId}:${callbackId}`] : []),
    ],
  };
}

/** The chat an update belongs to; of a button press, the chat of its message. */
export function chatIdOf(update: RawUpdate): number | undefined {
  const type = Object.keys(update).find((key) => key !== "update_id");
  return type === undefined ? undefined : idOf(chatOf(asObject(update[type])));
}

/** The language of whoever caused an update, as their Telegram says; not trusted. */
export function languageCodeOf(update: RawUpdate): string | undefined {
  const type = Object.keys(update).find((key) => key !== "update_id");
  const from = asObject(type === undefined ? undefined : asObject(update[type])["from"]);
  return typeof from["language_code"] === "string" ? from["language_code"] : undefined;
}

function laneOf(type: string, content: Readonly<Record<string, unknown>>): string {
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
