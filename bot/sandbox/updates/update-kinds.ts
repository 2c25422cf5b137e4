/**
 * Update kinds: how long each lives, and which a bot has subscribed to.
 *
 * Source: reference sections 2.4 and 2.5.
 */

const dayMs = 86_400_000;
const secondMs = 1_000;

/** Every kind a bot may name, with the milliseconds it is kept for. */
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

/** What a bot is subscribed to: remembered across calls, applied when an update is made. */
export class AllowedUpdates {
  /** Null: the default. */
  #names: ReadonlySet<string> | null = null;

  /** The names when they are not the default, as `getWebhookInfo` shows them. */
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
