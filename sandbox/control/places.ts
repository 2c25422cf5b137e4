/** Places: finds the chat and the message that a request names. Throws a `ControlError`. */
import type { Account } from "../world/account.ts";
import type { Message } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { ControlError } from "./control-error.ts";

export function roomOf(account: Account, chatId: number): Room {
  const room = account.rooms.get(chatId);
  if (!room) throw new ControlError(404, `no chat ${chatId}`);
  return room;
}

export function messageOf(room: Room, messageId: number): Message {
  const message = room.message(messageId);
  if (!message) throw new ControlError(404, `no message ${messageId} in this chat`);
  return message;
}
