/**
 * Call: one Bot API call with its bot, its parameters and its chat.
 *
 * A method either answers at once or, when it sends, makes the checks that Telegram makes before the
 * network, and prepares an effect. Blocks and flood limits come after that, then the effect itself.
 * Source of the order: tdlib/telegram-bot-api, Client.cpp.
 */
import { ApiError, badRequest, forbidden } from "../http/answer.ts";
import type { Parameters } from "../http/parameters.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account, Surroundings } from "../world/account.ts";
import type { BusinessConnection } from "../world/business.ts";
import type { Message, User } from "../world/objects.ts";
import { Room } from "../world/room.ts";

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

function knownRoom(call: Call, name: string): Room {
  const { account, parameters } = call;
  const text = parameters.text(name);
  if (parameters.text("business_connection_id") !== "" && name === "chat_id") {
    return businessRoom(call, businessConnection(call), parameters.integer(name));
  }
  if (text === "") throw badRequest(`${name} is empty`);
  const room = text.startsWith("@")
    ? [...account.rooms.values()].find((candidate) => hasName(candidate, text.slice(1)))
    : account.rooms.get(parameters.integer(name));
  if (!room) throw badRequest("chat not found");
  return room;
}

/** The connection in `business_connection_id`. Throws when it is unknown or lacks the right. */
export function businessConnection({ account, parameters }: Call, right?: string) {
  return account.business.get(parameters.text("business_connection_id"), right);
}

/** A business account's chat with a customer; it is created when it does not exist. */
export function businessRoom(call: Call, connection: BusinessConnection, id: number): Room {
  const existing = connection.rooms.get(id);
  if (existing) return existing;
  const user = call.around.users.get(id);
  if (!user) throw badRequest("chat not found");
  const { first_name, username } = user;
  const chat = { id, first_name, ...(username ? { username } : {}), type: "private" } as const;
  const room = new Room(chat, { connectionId: connection.id, user: connection.user });
  connection.rooms.set(id, room);
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

/**
 * The message in `message_id`.
 *
 * @param verb As in "message to edit not found". @param what All of it but "not found".
 */
export function messageIn(
  call: Call,
  room: Room,
  verb: string,
  what = `message to ${verb}`,
): Message {
  const id = messageId(call);
  const message = room.message(id);
  if (!message) throw badRequest(`${what} not found`);
  return message;
}

export function messageId({ parameters }: Call): number {
  const id = parameters.integer("message_id");
  if (id === 0) throw badRequest("message identifier is not specified");
  return id;
}

/** The user in `user_id`, who need not be known. */
export function userId({ parameters }: Call, name = "user_id"): number {
  const id = parameters.integer(name);
  if (id <= 0) throw badRequest(`invalid ${name} specified`);
  return id;
}

/** The user in `user_id`. Throws when the bot has never met them. */
export function knownUser(call: Call, name = "user_id"): User {
  return userWith(call, userId(call, name));
}

export function userWith({ account, around }: Call, id: number): User {
  const user = id === account.id ? account.me : around.users.get(id);
  if (!user) throw badRequest("user not found");
  return user;
}

/** Throws the text when the bot is no administrator with this right. */
export function needRight({ account }: Call, room: Room, right: string, text: string): void {
  if (room.isPrivate) return;
  const { status, flags } = room.members.bot(account.id);
  if (status === "creator" || (status === "administrator" && flags?.[right])) return;
  throw badRequest(text);
}

/** The array in a parameter. @param items As in "expected an Array of BotCommand". */
export function arrayIn(
  { parameters }: Call,
  name: string,
  { malformed, items }: { readonly malformed: string; readonly items: string },
): readonly unknown[] {
  const value = parameters.json(name, `can't parse ${malformed} JSON object`);
  if (!Array.isArray(value)) throw badRequest(`expected an Array of ${items}`);
  return value;
}

/** The JSON object in a parameter; undefined when it is missing. */
export function objectIn(
  { parameters }: Call,
  name: string,
  malformed: string,
): Readonly<Record<string, unknown>> | undefined {
  const value = parameters.json(name, `can't parse ${malformed} JSON object`);
  if (value === undefined) return undefined;
  if (!isRecord(value)) throw badRequest(`object expected as ${malformed}`);
  return value;
}
