/** Reactions: methods that put and remove reactions. Source: Bot API, setMessageReaction. */
import { badRequest } from "../http/answer.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import type { Reaction } from "../world/reactions.ts";
import type { Room } from "../world/room.ts";
import { type Call, messageIn, needRight, roomFor } from "./call.ts";

/** Source: Bot API, ReactionTypeEmoji. */
const emojis: ReadonlySet<string> = new Set(
  "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡".split(
    " ",
  ),
);

/** A bot may put one; Premium users up to three. */
const botReactionsMax = 1;

export function setMessageReaction(call: Call): true {
  const reaction = readReactions(call.parameters.json("reaction", malformed));
  const room = roomFor(call, "edit");
  const message = messageIn(call, room, "react");
  if (reaction.length > botReactionsMax) throw badRequest("REACTIONS_TOO_MANY");
  room.reactions.set(message.message_id, call.account.id, reaction);
  publishReactions(call.account, room, message.message_id);
  return true;
}

const malformed = "can't parse reaction types JSON object";

/** Checked reactions. Throws Telegram's errors. */
export function readReactions(value: unknown): readonly Reaction[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw badRequest("expected an Array of ReactionType");
  return value.map(readReaction);
}

function readReaction(value: unknown): Reaction {
  const problem = (text: string) => badRequest(`can't parse ReactionType: ${text}`);
  if (!isRecord(value)) throw problem("expected an Object");
  const { type, emoji, custom_emoji_id } = value;
  if (type === "emoji") {
    const plain = String(emoji).replaceAll("\uFE0F", "");
    if (typeof emoji !== "string" || !emojis.has(plain)) throw badRequest("REACTION_INVALID");
    return { type, emoji: plain };
  }
  if (type === "custom_emoji") {
    if (typeof custom_emoji_id !== "string") throw problem('Can\'t find field "custom_emoji_id"');
    return { type, custom_emoji_id };
  }
  if (type === "paid") throw badRequest("REACTION_INVALID");
  throw problem("invalid reaction type specified");
}

/** Shows what stands under the message now. */
export function publishReactions(account: Account, room: Room, messageId: number): void {
  const reactions = room.reactions.counts(messageId);
  account.changed({ kind: "reaction", ...room.place, messageId, reactions });
}

/** Takes away another actor's reaction. */
export function deleteMessageReaction(call: Call): true {
  const room = roomFor(call, "edit");
  const message = messageIn(call, room, "delete reactions from");
  needRight(call, room, "can_delete_messages", "not enough rights to delete the reaction");
  const actor = actorIn(call);
  room.reactions.set(message.message_id, actor ?? call.account.id, []);
  publishReactions(call.account, room, message.message_id);
  return true;
}

export function deleteAllMessageReactions(call: Call): true {
  const room = roomFor(call, "edit");
  needRight(call, room, "can_delete_messages", "not enough rights to delete the reactions");
  const changed = room.reactions.removeActor(actorIn(call) ?? call.account.id);
  for (const messageId of changed) publishReactions(call.account, room, messageId);
  return true;
}

function actorIn({ parameters }: Call): number | undefined {
  return parameters.integer("user_id") || parameters.integer("actor_chat_id") || undefined;
}
