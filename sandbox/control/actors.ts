/** Actors: users and groups that join, write, press buttons, block, kick and migrate. */
import type {
  Access,
  Fed,
  FeedRequest,
  InjectRequest,
  NewGroup,
  NewUser,
  Pressed,
  PressRequest,
  WriteRequest,
  Written,
} from "../control-api.ts";
import { botMember } from "../methods/chats.ts";
import { randomId } from "../random.ts";
import { plainText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import { orderingKey, updateKind } from "../updates/update-kinds.ts";
import { type Account, type Surroundings, textContent } from "../world/account.ts";
import { standingWith } from "../world/members.ts";
import type { Chat, InlineButton, Message, User } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { generalTopicId } from "../world/topics.ts";
import { ControlError, integerIn, textIn } from "./control-error.ts";
import { feedMessages } from "./feed.ts";
import { placeOf } from "./message-place.ts";
import { businessRoomOf, type ChatPlace } from "./places.ts";

export interface ActorsOptions {
  /** The bot, by default the first. */
  readonly account: (botId?: number) => Account;
  /** The bot, by default every one. */
  readonly accounts: (botId?: number) => readonly Account[];
  readonly around: Surroundings;
  readonly queryLifetimeMs: number;
}

/** What the files beside this one need to act as someone. */
export interface PeopleOptions extends ActorsOptions {
  readonly actors: Actors;
}

const userIdMax = 2 ** 52;
const supergroupBase = 10 ** 12;
const textLengthMax = 4_096;
const preCheckoutMs = 10_000;
const accesses: readonly Access[] = [
  "open",
  "not-started",
  "blocked",
  "deactivated",
  "kicked",
  "not-member",
  "deleted",
  "muted",
];

/** Updates that the bot answers by an id. */
const queryKinds = [
  "callback_query",
  "inline_query",
  "pre_checkout_query",
  "shipping_query",
  "chat_join_request",
  "guest_message",
] as const;

export class Actors {
  readonly #options: ActorsOptions;
  #userIds = 5_000_000;
  #groupIds = 1_000;

  constructor(options: ActorsOptions) {
    this.#options = options;
  }

  createUser(request: NewUser): User {
    const id = request.id ?? ++this.#userIds;
    integerIn({ id }, "id", 1, userIdMax);
    const user: User = {
      id,
      is_bot: false,
      first_name: textIn({ ...request }, "firstName"),
      ...(request.username ? { username: request.username } : {}),
      language_code: request.languageCode ?? "en",
    };
    this.#options.around.users.set(id, user);
    for (const account of this.#options.accounts(request.botId)) {
      const room = account.privateRoom(user);
      if (!request.started && room.size === 0) room.access = "not-started";
      account.changed({ kind: "chat", chatId: id });
    }
    return user;
  }

  createGroup(request: NewGroup): Chat {
    const type = request.type ?? "supergroup";
    const number = integerIn({ id: request.id ?? ++this.#groupIds }, "id", 1, userIdMax);
    const chat: Chat = {
      id: type === "group" ? -number : -(supergroupBase + number),
      title: textIn({ ...request }, "title"),
      ...(request.username ? { username: request.username } : {}),
      type,
      ...(request.forum && type === "supergroup" ? { is_forum: true } : {}),
      ...(request.directMessages && type === "supergroup" ? { is_direct_messages: true } : {}),
    };
    const account = this.#options.account(request.botId);
    const room = account.addRoom(chat);
    // The message that tells of a supergroup's creation has number 1, which is the general topic's.
    if (chat.is_forum) room.ownMessageIds = generalTopicId;
    if (request.botRights) room.members.set(account.id, standingWith(type, request.botRights));
    for (const id of request.memberIds ?? []) room.memberIds.add(id);
    account.changed({ kind: "chat", chatId: chat.id });
    return chat;
  }

  write(request: WriteRequest): Written {
    const account = this.#options.account(request.botId);
    const user = this.user(request.userId);
    const text = textIn({ ...request }, "text").slice(0, textLengthMax);
    const room = this.enter(account, user, request);
    const formatted = plainText(text);
    if (formatted.text.trim() === "") throw new ControlError(400, "text must not be blank");
    const content = { ...placeOf(room, request), ...textContent(formatted) };
    const message = account.post(room, user, content);
    return { message, updateId: hear(account, room, message) };
  }

  press(request: PressRequest): Pressed {
    const { account: accountFor, around, queryLifetimeMs } = this.#options;
    const account = accountFor(request.botId);
    const user = this.user(request.userId);
    const room = this.room(account, user, request);
    const message = room.message(request.messageId);
    if (!message) throw new ControlError(404, `no message ${request.messageId} in this chat`);
    const asked = askedBy(findButton(message, request), message);
    const id = randomId(around.random);
    account.queries.open(
      id,
      { kind: "callback_query", userId: user.id, chatId: room.id },
      queryLifetimeMs,
    );
    const chat_instance = String(Math.abs(room.id) * 7_919 + 1);
    const inlineId = account.inline.idAt({ chatId: room.id, messageId: message.message_id });
    // The bot sees no more of a message made in inline mode than its id.
    const place = inlineId === undefined ? { message } : { inline_message_id: inlineId };
    const query = { id, from: user, ...place, chat_instance, ...asked };
    return {
      callbackQueryId: id,
      updateId: account.deliver("callback_query", query, room.id),
    };
  }

  inject(request: InjectRequest): { updateId: number | null } {
    const account = this.#options.account(request.botId);
    const { update } = request;
    if (request.verbatim) {
      const body = typeof update === "string" ? update : JSON.stringify(update ?? null);
      return { updateId: account.enqueue("raw", null, () => body) };
    }
    if (!isRecord(update)) throw new ControlError(400, "update must be an object, or be verbatim");
    const kind = updateKind(update);
    const payload = update[kind];
    if (isRecord(payload)) this.#openQuery(account, kind, payload);
    const { update_id, ...fields } = update;
    const body = (id: number) => JSON.stringify({ update_id: id, ...fields });
    const chatId = chatIdOf(payload);
    const key = orderingKey(kind, payload, chatId);
    return { updateId: account.enqueue(kind, chatId, body, key) };
  }

  feed(request: FeedRequest): Fed {
    const ids: (number | null)[] = [];
    for (const one of feedMessages(request)) ids.push(this.write(one).updateId);
    const queued = ids.filter((id) => id !== null);
    return {
      count: queued.length,
      firstUpdateId: queued[0] ?? null,
      lastUpdateId: queued.at(-1) ?? null,
    };
  }

  setAccess(request: {
    readonly chatId: number;
    readonly access: Access;
    readonly botId?: number;
    readonly silent?: boolean;
  }): { updateId: number | null } {
    const account = this.#options.account(request.botId);
    const room = account.rooms.get(request.chatId);
    if (!room) throw new ControlError(404, `no chat ${request.chatId}`);
    if (!accesses.includes(request.access)) {
      throw new ControlError(400, `access must be one of ${accesses.join(", ")}`);
    }
    const silent = request.silent === true || request.access === "deactivated";
    const updateId = this.#change(account, room, request.access, this.actor(room), silent);
    return { updateId };
  }

  migrate(request: { readonly chatId: number; readonly botId?: number }): {
    migrateToChatId: number;
  } {
    const account = this.#options.account(request.botId);
    const room = account.rooms.get(request.chatId);
    if (room?.chat.type !== "group") {
      throw new ControlError(400, `${request.chatId} is not a basic group`);
    }
    const id = -(supergroupBase + Math.abs(room.id));
    const moved = account.addRoom({ ...room.chat, id, type: "supergroup" });
    for (const memberId of room.memberIds) moved.memberIds.add(memberId);
    room.migratedToChatId = id;
    const from = this.actor(room);
    hear(account, room, account.post(room, from, { migrate_to_chat_id: id }));
    hear(account, moved, account.post(moved, from, { migrate_from_chat_id: room.id }));
    return { migrateToChatId: id };
  }

  #change(account: Account, room: Room, access: Access, from: User, silent: boolean) {
    const before = botMember(account, room);
    room.access = access;
    account.changed({ kind: "chat", ...room.place });
    const after = botMember(account, room);
    if (silent || before.status === after.status) return null;
    const date = this.#options.around.clock.epochS();
    const change = { chat: room.chat, from, date };
    const members = { old_chat_member: before, new_chat_member: after };
    return account.deliver("my_chat_member", { ...change, ...members }, room.id);
  }

  /** The user who acts when the request names none. */
  actor(room: Room): User {
    const [first] = room.memberIds;
    return this.user(first ?? 1);
  }

  /** The user with this id, who is made when there is none. */
  user(id: number): User {
    const known = this.#options.around.users.get(id);
    if (known) return known;
    integerIn({ userId: id }, "userId", 1, userIdMax);
    const user: User = { id, is_bot: false, first_name: `User ${id}`, language_code: "en" };
    this.#options.around.users.set(id, user);
    return user;
  }

  /** The group, which the user joins; by default their private chat with the bot. */
  room(account: Account, user: User, { chatId, connectionId }: Partial<ChatPlace>): Room {
    if (connectionId !== undefined) {
      return businessRoomOf(
        account,
        user,
        { chatId: chatId ?? user.id, connectionId },
        this.#options.around,
      );
    }
    if (chatId === undefined || chatId === user.id) return account.privateRoom(user);
    const room = account.rooms.get(chatId);
    if (!room || room.isPrivate) throw new ControlError(404, `no group ${chatId}`);
    room.memberIds.add(user.id);
    return room;
  }

  /** The chat in which the user is about to write; in a private one that lets the bot in again. */
  enter(account: Account, user: User, place: Partial<ChatPlace>): Room {
    const room = this.room(account, user, place);
    if (room.access === "deactivated") throw new ControlError(400, "a deactivated user is silent");
    if (room.isPrivate && (room.access === "not-started" || room.access === "blocked")) {
      this.#change(account, room, "open", user, room.access === "not-started");
    }
    return room;
  }

  #openQuery(account: Account, kind: string, payload: Readonly<Record<string, unknown>>): void {
    const { from } = payload;
    const id = payload["id"] ?? payload["query_id"] ?? payload["guest_query_id"];
    if (typeof id !== "string") return;
    const userId = isRecord(from) ? Number(from["id"]) : 0;
    const queryKind = queryKinds.find((name) => name === kind);
    if (!queryKind) return;
    const payment = queryKind === "pre_checkout_query" || queryKind === "shipping_query";
    const lifetimeMs = payment ? preCheckoutMs : this.#options.queryLifetimeMs;
    account.queries.open(id, { kind: queryKind, userId, chatId: chatIdOf(payload) }, lifetimeMs);
  }
}

/** Delivers a message to the bot, if the bot is in the chat. */
export function hear(account: Account, room: Room, message: Message): number | null {
  const deaf = room.access === "kicked" || room.access === "not-member";
  if (deaf) return null;
  return account.deliver(kindFor(room, ""), message, room.id);
}

/** The kind of update about a message. @param prefix Empty, or `edited_`. */
export function kindFor(room: Room, prefix: "" | "edited_"): string {
  if (room.business) return `${prefix}business_message`;
  return room.chat.type === "channel" ? `${prefix}channel_post` : `${prefix}message`;
}

function chatIdOf(payload: unknown): number | null {
  if (!isRecord(payload)) return null;
  const message = isRecord(payload["message"]) ? payload["message"] : payload;
  const chat = message["chat"];
  return isRecord(chat) && typeof chat["id"] === "number" ? chat["id"] : null;
}

/** What a button says to the bot. */
function askedBy(button: InlineButton, message: Message): object {
  const { callback_data } = button;
  if (callback_data !== undefined) return { data: callback_data };
  const { game } = message;
  if (button["callback_game"] === undefined || !isRecord(game)) {
    throw new ControlError(400, "this button calls nothing back");
  }
  return { game_short_name: game["title"] };
}

function findButton(message: Message, request: PressRequest): InlineButton {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  const { row, column, data, text } = request;
  const found =
    row !== undefined || column !== undefined
      ? rows[row ?? 0]?.[column ?? 0]
      : rows
          .flat()
          .find((button) =>
            data !== undefined ? button.callback_data === data : button.text === text,
          );
  if (!found) throw new ControlError(404, "the message has no such button");
  return found;
}
