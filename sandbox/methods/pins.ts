/** Pins: methods that pin and unpin messages. A pin is told in the chat by a service message. */
import { badRequest } from "../http/answer.ts";
import type { Room } from "../world/room.ts";
import { type Call, messageIn, needRight, roomFor } from "./call.ts";

const rightsText = "not enough rights to manage pinned messages in the chat";

export function pinChatMessage(call: Call): true {
  const room = pinnable(call);
  const message = messageIn(call, room, "pin");
  room.pinnedIds.delete(message.message_id);
  room.pinnedIds.add(message.message_id);
  const thread = message.message_thread_id;
  const { reply_to_message, ...pinned_message } = message;
  const topic = thread ? { message_thread_id: thread } : {};
  call.account.post(room, call.account.me, { ...topic, pinned_message });
  shown(call, room);
  return true;
}

/** Without a number the latest pin is taken away. */
export function unpinChatMessage(call: Call): true {
  const room = pinnable(call);
  const id = call.parameters.integer("message_id") || ([...room.pinnedIds].at(-1) ?? 0);
  if (!room.pinnedIds.delete(id)) throw badRequest("message to unpin not found");
  shown(call, room);
  return true;
}

export function unpinAllChatMessages(call: Call): true {
  const room = pinnable(call);
  room.pinnedIds.clear();
  shown(call, room);
  return true;
}

/** @param ofTopic Undefined: the messages outside of every topic. */
export function unpinTopic(call: Call, room: Room, ofTopic: number | undefined): void {
  for (const id of room.pinnedIds) {
    if (room.message(id)?.message_thread_id === ofTopic) room.pinnedIds.delete(id);
  }
  shown(call, room);
}

function pinnable(call: Call): Room {
  const room = roomFor(call, "write");
  needRight(
    call,
    room,
    room.chat.type === "channel" ? "can_edit_messages" : "can_pin_messages",
    rightsText,
  );
  return room;
}

function shown({ account }: Call, room: Room): void {
  account.changed({ kind: "chat", ...room.place });
}
