/** Chats: methods that read chats and members, pin, leave and moderate. */
import { badRequest } from "../http/answer.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import type { User } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { type Call, messageIn, roomFor, userId } from "./call.ts";

const actions: ReadonlySet<string> = new Set([
  "cancel",
  "typing",
  "upload_photo",
  "record_video",
  "upload_video",
  "record_audio",
  "upload_audio",
  "record_voice",
  "upload_voice",
  "upload_document",
  "find_location",
  "pick_up_location",
  "choose_sticker",
  "record_video_note",
  "upload_video_note",
]);

export function sendChatAction(call: Call): true {
  const action = call.parameters.text("action").toLowerCase();
  const room = roomFor(call, "write");
  if (!actions.has(action)) throw badRequest("wrong parameter action in request");
  call.account.changed({ kind: "action", chatId: room.id, text: action });
  return true;
}

export function getChat(call: Call): unknown {
  const room = roomFor(call, "read");
  return { ...room.chat, accent_color_id: 0, max_reaction_count: 11 };
}

export function getChatMember(call: Call): unknown {
  const room = roomFor(call, "edit");
  return memberOf(call, room, userId(call));
}

export function getChatMemberCount(call: Call): number {
  const room = roomFor(call, "edit");
  return room.memberIds.size + (room.isPrivate || room.access === "open" ? 1 : 0);
}

export function getChatAdministrators(call: Call): unknown {
  const room = roomFor(call, "edit");
  if (room.isPrivate) throw badRequest("there are no administrators in the private chat");
  const [owner] = room.memberIds;
  const user = owner === undefined ? undefined : call.around.users.get(owner);
  return user ? [{ user, status: "creator", is_anonymous: false }] : [];
}

function memberOf(call: Call, room: Room, id: number): unknown {
  if (id === call.account.id) return botMember(call.account, room);
  const user = call.around.users.get(id);
  if (!user) throw badRequest("user not found");
  return { user, status: room.memberIds.has(id) ? "member" : "left" };
}

/** The bot as a member, as `my_chat_member` shows it. */
export function botMember(account: Account, room: Room): { user: User; status: string } {
  const gone = room.access === "blocked" || room.access === "kicked";
  const left = room.access === "not-member" || room.access === "deleted";
  const status = gone ? "kicked" : left ? "left" : "member";
  return { user: account.me, status, ...(gone ? { until_date: 0 } : {}) };
}

export function leaveChat(call: Call): true {
  const room = roomFor(call, "edit");
  if (room.isPrivate) throw badRequest("chat member status can't be changed in private chats");
  room.access = "not-member";
  call.account.changed({ kind: "chat", chatId: room.id });
  return true;
}

export function pinChatMessage(call: Call): true {
  const room = roomFor(call, "write");
  room.pinnedIds.add(messageIn(call, room, "pin").message_id);
  return true;
}

export function unpinChatMessage(call: Call): true {
  const room = roomFor(call, "write");
  const id = call.parameters.integer("message_id") || ([...room.pinnedIds].at(-1) ?? 0);
  if (!room.pinnedIds.delete(id)) throw badRequest("message to unpin not found");
  return true;
}

export function unpinAllChatMessages(call: Call): true {
  roomFor(call, "write").pinnedIds.clear();
  return true;
}

export function setMessageReaction(call: Call): true {
  const room = roomFor(call, "edit");
  const message = messageIn(call, room, "react");
  const reaction = call.parameters.json("reaction", "can't parse reaction types JSON object") ?? [];
  if (!Array.isArray(reaction) || !reaction.every(isRecord)) {
    throw badRequest("can't parse reaction types JSON object");
  }
  const text = reaction.map((kind) => String(kind["emoji"] ?? "★")).join("");
  call.account.changed({ kind: "action", chatId: room.id, messageId: message.message_id, text });
  return true;
}

/** `banChatMember` and similar methods. */
export function moderate(change: (room: Room, id: number) => void): (call: Call) => true {
  return (call) => {
    const room = roomFor(call, "write");
    const id = userId(call);
    if (room.isPrivate) throw badRequest("chat member status can't be changed in private chats");
    change(room, id);
    return true;
  };
}

/** A method that changes something in a chat that the sandbox does not model. */
export function changeChat(call: Call): true {
  roomFor(call, "write");
  return true;
}
