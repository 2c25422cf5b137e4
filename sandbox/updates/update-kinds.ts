/**
 * Update kinds: how long each is kept, and which a bot has subscribed to.
 *
 * Source: Bot API, Update and getUpdates; tdlib/telegram-bot-api, Client.cpp.
 */
import { isRecord } from "../text/reply-markup.ts";

const dayMs = 86_400_000;
const secondMs = 1_000;

/** Every kind that a bot may name, and the milliseconds for which it is kept. */
const lifetimesMs: Readonly<Record<string, number>> = {
  message: dayMs,
  edited_message: dayMs,
  channel_post: dayMs,
  edited_channel_post: dayMs,
  inline_query: 30 * secondMs,
  chosen_inline_result: 600 * secondMs,
  callback_query: 150 * secondMs,
  shipping_query: 150 * secondMs,
  pre_checkout_query: 150 * secondMs,
  poll: dayMs,
  poll_answer: dayMs,
  my_chat_member: dayMs,
  chat_member: dayMs,
  chat_join_request: dayMs,
  chat_boost: dayMs,
  removed_chat_boost: dayMs,
  message_reaction: dayMs,
  message_reaction_count: dayMs,
  business_connection: dayMs,
  business_message: dayMs,
  edited_business_message: dayMs,
  deleted_business_messages: dayMs,
  purchased_paid_media: dayMs,
  managed_bot: dayMs,
  guest_message: dayMs,
  stopped_message_generation: dayMs,
  subscription: dayMs,
};

const notByDefault: ReadonlySet<string> = new Set([
  "chat_member",
  "message_reaction",
  "message_reaction_count",
]);

/** Milliseconds an update of this kind is kept; unknown kinds live as long as messages. */
export function updateLifetimeMs(kind: string): number {
  return lifetimesMs[kind] ?? dayMs;
}

/** The first known kind among an update's keys, or the first key that is not its id. */
export function updateKind(update: object): string {
  const keys = Object.keys(update).filter((key) => key !== "update_id");
  return keys.find((key) => Object.hasOwn(lifetimesMs, key)) ?? keys[0] ?? "unknown";
}

/** Kinds with an ordering key of their own. Source: tdlib/telegram-bot-api, Client.cpp. */
const orderedBy: Readonly<Record<string, readonly ["chat" | "user", number]>> = {
  inline_query: ["user", 1],
  chosen_inline_result: ["user", 2],
  callback_query: ["user", 3],
  shipping_query: ["user", 4],
  pre_checkout_query: ["user", 4],
  my_chat_member: ["chat", 5],
  chat_member: ["user", 6],
  chat_join_request: ["user", 6],
  chat_boost: ["chat", 7],
  removed_chat_boost: ["chat", 7],
  message_reaction: ["chat", 8],
  message_reaction_count: ["chat", 9],
  business_connection: ["user", 10],
  business_message: ["chat", 11],
  edited_business_message: ["chat", 11],
  deleted_business_messages: ["chat", 11],
  purchased_paid_media: ["user", 12],
};

/** A webhook keeps the order of updates with the same key. */
export function orderingKey(kind: string, payload: unknown, chatId: number | null): string {
  const [by, class_] = orderedBy[kind] ?? ["chat", 0];
  const fields = isRecord(payload) ? payload : {};
  const from = fields["from"] ?? fields["user"];
  const userId = isRecord(from) ? from["id"] : undefined;
  const id = by === "user" ? userId : (chatId ?? fields["id"]);
  return `${class_}:${String(id ?? "")}`;
}

/** A bot's subscriptions: remembered across calls, applied when an update is created. */
export class AllowedUpdates {
  /** Null: the default. */
  #names: ReadonlySet<string> | null = null;

  /** The names, as `getWebhookInfo` shows them; null for the default. */
  get names(): readonly string[] | null {
    return this.#names ? [...this.#names] : null;
  }

  /** @param value The parameter as parsed; anything but an array of strings changes nothing. */
  set(value: unknown): void {
    if (!Array.isArray(value) || !value.every((name) => typeof name === "string")) return;
    const names = value.map((name: string) => name.toLowerCase());
    const known = names.filter((name) => Object.hasOwn(lifetimesMs, name));
    this.#names = known.length > 0 ? new Set(known) : null;
  }

  allows(kind: string): boolean {
    if (this.#names) return this.#names.has(kind) || !Object.hasOwn(lifetimesMs, kind);
    return !notByDefault.has(kind);
  }
}
