/**
 * Membership rules: what an update about the bot's own membership says about writing to its chat.
 *
 * Nothing of the update is trusted; what is unclear says nothing. In a private chat the bot is "kicked" when
 * the person blocks it. Source: Bot API, ChatMemberUpdated and ChatMember.
 */
import type { JsonObject } from "../../core/message.ts";

/** Fields of a handler's result. */
export interface ChatReach {
  readonly reachedChat?: string;
  readonly unreachableChat?: { readonly chat: string; readonly reason: string };
}

const outside: readonly unknown[] = ["left", "kicked"];
const inside: readonly unknown[] = ["creator", "administrator", "member"];

export function judgeMembership(update: JsonObject): ChatReach {
  const change = asObject(update["my_chat_member"]);
  const { id, type } = asObject(change["chat"]);
  const { is_member: isMember, status } = asObject(change["new_chat_member"]);
  if (typeof id !== "number" || !Number.isSafeInteger(id)) return {};
  const chat = String(id);
  if (inside.includes(status) || (status === "restricted" && isMember === true)) {
    return { reachedChat: chat };
  }
  if (!outside.includes(status) && status !== "restricted") return {};
  return { unreachableChat: { chat, reason: type === "private" ? "blocked" : "kicked" } };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
