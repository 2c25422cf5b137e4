/** Places: finds the chat and the message that a request names. Throws a `ControlError`. */
import { Parameters } from "../http/parameters.ts";
import { businessRoom } from "../methods/call.ts";
import type { Account, Surroundings } from "../world/account.ts";
import type { Message, User } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { ControlError } from "./control-error.ts";

/** A chat of the bot, or of a business account with its customer. */
export interface ChatPlace {
  readonly chatId: number;
  readonly connectionId?: string | undefined;
}

export function roomOf(account: Account, { chatId, connectionId }: ChatPlace): Room {
  const room =
    connectionId === undefined
      ? account.rooms.get(chatId)
      : account.business.find(connectionId)?.rooms.get(chatId);
  if (!room) throw new ControlError(404, `no chat ${chatId}`);
  return room;
}

export function messageOf(room: Room, messageId: number): Message {
  const message = room.message(messageId);
  if (!message) throw new ControlError(404, `no message ${messageId} in this chat`);
  return message;
}

/** The chat of a business account with a customer, which begins when one of the two writes. */
export function businessRoomOf(
  account: Account,
  user: User,
  { chatId, connectionId }: { readonly chatId: number; readonly connectionId: string },
  around: Surroundings,
): Room {
  const connection = account.business.find(connectionId);
  if (!connection) throw new ControlError(404, "there is no such connection");
  if (user.id !== chatId && user.id !== connection.user.id) {
    throw new ControlError(400, "only the customer and the account's owner write in its chat");
  }
  return businessRoom({ account, around, parameters: new Parameters() }, connection, chatId);
}
