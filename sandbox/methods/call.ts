/**
 * Call: one Bot API call with its bot, its parameters and its chat.
 *
 * A method either answers at once or, when it sends, makes the checks that Telegram makes before the
 * network, and prepares an effect. Blocks and flood limits come after that, then the effect itself.
 * Source of the order: tdlib/telegram-bot-api, Client.cpp.
 */
import { ApiError, badRequest, forbidden } from "../http/answer.ts";
import type { Parameters } from "../http/parameters.ts";
import type { Account, Surroundings } from "../world/account.ts";
import type { Message } from "../world/objects.ts";
import type { Room } from "../world/room.ts";

export interface Call {
  readonly account: Account;
  readonly parameters: Parameters;
  readonly around: Surroundings;
}

/** The rest of a call that passed every local check. */
export interface Effect {
  readonly room: Room;
  /** Messages it counts as under flood control. */
  readonly cost: number;
  /** Performs the effect. @returns the method's result. */
  perform(): unknown;
}

/** Answers at once. Throws an `ApiError`. */
export type ImmediateMethod = (call: Call) => unknown;
/** Sends or edits. Throws an `ApiError`. */
export type SendingMethod = (call: Call) => Effect;

type AccessMode = "read" | "edit" | "write";

/** The chat in `chat_id`. Throws an `ApiError` when the bot may not do this there. */
export function roomFor(call: Call, mode: AccessMode, name = "chat_id"): Room {
  const room = knownRoom(call, name);
  if (mode !== "read") checkAccess(room, mode);
  return room;
}

function knownRoom({ account, parameters }: Call, name: string): Room {
  const text = parameters.text(name);
  if (text === "") throw badRequest(`${name} is empty`);
  const room = text.startsWith("@")
    ? [...account.rooms.values()].find((candidate) => hasName(candidate, text.slice(1)))
    : account.rooms.get(parameters.integer(name));
  if (!room) throw badRequest("chat not found");
  return room;
}

/** Whether the chat has this name; users are not found by name. */
function hasName(room: Room, name: string): boolean {
  return !room.isPrivate && room.chat.username?.toLowerCase() === name.toLowerCase();
}

function checkAccess(room: Room, mode: AccessMode): void {
  const kind = room.chat.type === "group" ? "group" : room.chat.type;
  if (mode === "write" && room.migratedToChatId !== undefined) {
    throw new ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", {
      migrate_to_chat_id: room.migratedToChatId,
    });
  }
  switch (room.access) {
    case "deactivated":
      throw forbidden("user is deactivated");
    case "kicked":
      throw forbidden(`bot was kicked from the ${kind} chat`);
    case "not-member":
      throw forbidden(`bot is not a member of the ${kind} chat`);
    case "deleted":
      if (mode === "write") throw forbidden("the group chat was deleted");
      return;
    case "open":
    case "not-started":
    case "blocked":
    case "muted":
      return;
  }
}

/** Makes the checks that need the network; they come after every local check. */
export function checkNetwork(room: Room): void {
  if (room.access === "blocked") throw forbidden("bot was blocked by the user");
  if (room.access === "not-started") {
    throw forbidden("bot can't initiate conversation with a user");
  }
  if (room.access === "muted") {
    throw badRequest("not enough rights to send text messages to the chat");
  }
}

/** The message in `message_id`. @param verb As in "message to edit not found". */
export function messageIn(call: Call, room: Room, verb: string): Message {
  const id = messageId(call);
  const message = room.message(id);
  if (!message) throw badRequest(`message to ${verb} not found`);
  return message;
}

export function messageId({ parameters }: Call): number {
  const id = parameters.integer("message_id");
  if (id === 0) throw badRequest("message identifier is not specified");
  return id;
}

/** The user in `user_id`, who need not be known. */
export function userId({ parameters }: Call): number {
  const id = parameters.integer("user_id");
  if (id <= 0) throw badRequest("invalid user_id specified");
  return id;
}
