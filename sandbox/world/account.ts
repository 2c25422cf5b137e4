/**
 * Account: one bot at Telegram, with its chats, its updates and its settings.
 *
 * Message ids come from one counter for all private chats and basic groups, and one for each supergroup
 * and channel. Source: core.telegram.org/api/updates, which counts events in the same message boxes.
 */
import type { Change } from "../control-api.ts";
import { type FloodLimits, FloodModel } from "../flood/flood-model.ts";
import type { Random } from "../random.ts";
import type { UpdateFacts } from "../updates/update-facts.ts";
import { AllowedUpdates, orderingKey, updateLifetimeMs } from "../updates/update-kinds.ts";
import { UpdatePolling } from "../updates/update-polling.ts";
import { UpdateQueue } from "../updates/update-queue.ts";
import type { WebhookDelivery, WebhookState } from "../updates/webhook-delivery.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { BusinessConnections } from "./business.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { FileStore } from "./file-store.ts";
import { Gifts } from "./gifts.ts";
import { InlineMode } from "./inline-mode.ts";
import { LatestMap } from "./latest-map.ts";
import type { LocalFiles } from "./local-files.ts";
import type { Chat, FormattedText, InlineKeyboard, Message, User } from "./objects.ts";
import { OpenQueries } from "./open-queries.ts";
import { Payments } from "./payments.ts";
import { Polls } from "./polls.ts";
import { Room } from "./room.ts";
import { StickerSets } from "./sticker-sets.ts";

/** The parts that all accounts share. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly startedAtMs: number;
  readonly random: Random;
  readonly pacing: boolean;
  readonly floodLimits: FloodLimits;
  readonly facts: UpdateFacts;
  readonly changes: ChangeFeed;
  readonly users: Map<number, User>;
  /** Set in the server's `--local` mode. */
  readonly localFiles: LocalFiles | undefined;
  /** Whether `setWebhook` accepts any address, or only those that api.telegram.org accepts. */
  readonly webhookRules: WebhookRules;
  /** Begins to deliver a bot's updates to its webhook. */
  readonly openWebhook: (account: Account, state: WebhookState) => WebhookDelivery;
}

export interface BotIdentity {
  readonly id: number;
  readonly token: string;
  readonly test: boolean;
}

/** A message's content, in Telegram's key order. */
export interface MessageContent {
  readonly reply_to_message?: Message;
  readonly reply_markup?: InlineKeyboard;
  readonly [field: string]: unknown;
}

/** `local` accepts any address, as the server's `--local` mode does; `cloud` is api.telegram.org. */
export type WebhookRules = "local" | "cloud";

const nameAtFirst = "Sandbox bot";
const messagesMax = 100_000;
const rememberedMax = 10_000;

export class Account {
  readonly id: number;
  readonly token: string;
  /** Whether the bot is in Telegram's test environment. */
  readonly test: boolean;
  /** Replaced when the bot is renamed. */
  me: User;
  readonly rooms = new Map<number, Room>();
  readonly allowedUpdates = new AllowedUpdates();
  readonly queue: UpdateQueue;
  readonly polling: UpdatePolling;
  readonly queries: OpenQueries;
  readonly files: FileStore;
  readonly payments = new Payments();
  readonly polls = new Polls();
  readonly stickerSets = new StickerSets();
  readonly gifts = new Gifts();
  readonly inline = new InlineMode();
  readonly business = new BusinessConnections();
  readonly flood: FloodModel;
  /** Ephemeral messages, by chat, receiver and number. */
  readonly whispers = new LatestMap<string, Message>(rememberedMax);
  /** Commands, names, descriptions and menu buttons, by method and scope. */
  readonly settings = new Map<string, unknown>();
  /** When it was last started on this server; a call after `close` starts it again. */
  startedAtMs: number;
  webhook: WebhookDelivery | undefined;
  /** Counts calls to `setWebhook`: a later call ends an earlier one that still resolves a name. */
  webhookTurns = 0;
  webhookSetAtMs = Number.NEGATIVE_INFINITY;
  revoked = false;
  closed = false;
  loggedOutUntilMs = Number.NEGATIVE_INFINITY;
  readonly #around: Surroundings;
  #messageIds = 0;
  #whispers = 0;
  readonly #posted: { readonly room: Room; readonly messageId: number }[] = [];

  constructor(identity: BotIdentity, around: Surroundings) {
    const { clock, random, pacing, facts } = around;
    const { id } = identity;
    this.id = id;
    this.token = identity.token;
    this.test = identity.test;
    this.files = new FileStore((file) => around.localFiles?.remove(identity.token, file));
    this.me = { id, is_bot: true, first_name: nameAtFirst, username: `sandbox_${id}_bot` };
    this.#around = around;
    this.startedAtMs = clock.monotonicMs();
    this.flood = new FloodModel(around.floodLimits, this.startedAtMs);
    const onEnd: UpdateQueueOnEnd = (updateId, end) => facts.ended(id, updateId, end);
    this.queue = new UpdateQueue({ random, onEnd });
    this.polling = new UpdatePolling({ clock, queue: this.queue, pacing });
    this.queries = new OpenQueries(() => clock.monotonicMs());
  }

  /** @param name Empty is the name that it had at first. */
  rename(name: string): void {
    this.me = { ...this.me, first_name: name || nameAtFirst };
  }

  /** The private chat with a user; it is created when it does not exist. */
  privateRoom(user: User): Room {
    const existing = this.rooms.get(user.id);
    if (existing) return existing;
    const { id, first_name, username } = user;
    return this.addRoom({ id, first_name, ...(username ? { username } : {}), type: "private" });
  }

  addRoom(chat: Chat): Room {
    const room = new Room(chat);
    if (room.isPrivate) room.memberIds.add(chat.id);
    this.rooms.set(chat.id, room);
    return room;
  }

  /** Puts a message into a chat. The caller decides whether the bot gets an update. */
  post(room: Room, from: User, content: MessageContent): Message {
    const { reply_markup, ...fields } = content;
    const author = authorOf(room, from);
    const message: Message = {
      message_id: this.#nextMessageId(room),
      ...author,
      chat: room.chat,
      date: this.#around.clock.epochS(),
      ...fields,
      ...(reply_markup ? { reply_markup } : {}),
    };
    room.put(message);
    this.#remember(room, message.message_id);
    this.changed({ kind: "message", ...room.place, message });
    return message;
  }

  /** Makes a message that one person sees, and that is in no history. */
  whisper(room: Room, receiver: User, content: MessageContent): Message {
    this.#whispers += 1;
    const message: Message = {
      message_id: 0,
      from: this.me,
      chat: room.chat,
      date: this.#around.clock.epochS(),
      receiver_user: receiver,
      ephemeral_message_id: this.#whispers,
      ...content,
    };
    this.whispers.set(`${room.id}:${receiver.id}:${this.#whispers}`, message);
    return message;
  }

  /** Limits the messages of all chats; older ones are "not found", as if they were deleted. */
  #remember(room: Room, messageId: number): void {
    this.#posted.push({ room, messageId });
    if (this.#posted.length <= messagesMax * 1.25) return;
    for (const old of this.#posted.splice(0, this.#posted.length - messagesMax)) {
      old.room.remove(old.messageId);
    }
  }

  changed(change: Omit<Change, "sequence" | "botId">): void {
    this.#around.changes.add({ botId: this.id, ...change });
  }

  /** Queues an update for the bot. @returns its id, or null when the bot does not want it. */
  deliver(kind: string, payload: unknown, chatId: number | null): number | null {
    if (!this.allowedUpdates.allows(kind)) return null;
    const json = JSON.stringify(payload);
    const body = (id: number) => `{"update_id":${id},\n"${kind}":${json}}`;
    return this.enqueue(kind, chatId, body, orderingKey(kind, payload, chatId));
  }

  /** Queues a body unchanged. */
  enqueue(
    kind: string,
    chatId: number | null,
    bodyFor: (id: number) => string,
    key = orderingKey(kind, undefined, chatId),
  ): number | null {
    const { clock, facts } = this.#around;
    const expiresAtMs = clock.epochMs() + updateLifetimeMs(kind);
    let body = "";
    const makeBody = (id: number) => {
      body = bodyFor(id);
      return body;
    };
    const updateId = this.queue.add(makeBody, expiresAtMs, key);
    if (updateId === undefined) return null;
    facts.created(this.id, updateId, kind, chatId, body);
    this.polling.wake();
    this.webhook?.wake();
    return updateId;
  }

  /** Starts the bot again, at the first call after `close`. */
  reopen(): void {
    if (this.closed) this.startedAtMs = this.#around.clock.monotonicMs();
    this.closed = false;
  }

  /** Replaces the webhook; undefined removes it. */
  setWebhook(state: WebhookState | undefined): void {
    this.webhook?.stop();
    this.webhook = state && this.#around.openWebhook(this, state);
    this.webhook?.wake();
  }

  stop(): void {
    this.polling.stop();
    this.webhook?.stop();
  }

  #nextMessageId(room: Room): number {
    if (!room.countsOwnMessages) return ++this.#messageIds;
    room.ownMessageIds += 1;
    return room.ownMessageIds;
  }
}

function authorOf(room: Room, from: User) {
  if (room.chat.type === "channel") return { sender_chat: room.chat };
  const { business } = room;
  if (!business) return room.isPrivate ? { from } : groupAuthorOf(room, from);
  const { connectionId: business_connection_id, user } = business;
  // The bot writes in the name of the account.
  const own = from.is_bot ? { from: user, sender_business_bot: from } : { from };
  return { ...own, business_connection_id };
}

/** Telegram shows the messages of anonymous administrators as the group's own. */
const anonymousBot: User = {
  id: 1_087_968_824,
  is_bot: true,
  first_name: "Group",
  username: "GroupAnonymousBot",
};

function groupAuthorOf(room: Room, from: User) {
  const standing = room.members.get(from.id);
  if (!standing?.flags?.["is_anonymous"]) return { from };
  const { customTitle } = standing;
  const signed = customTitle ? { author_signature: customTitle } : {};
  return { from: anonymousBot, sender_chat: room.chat, ...signed };
}

type UpdateQueueOnEnd = ConstructorParameters<typeof UpdateQueue>[0]["onEnd"];

/** The fields of a text message. */
export function textContent({ text, entities }: FormattedText): MessageContent {
  return entities.length > 0 ? { text, entities } : { text };
}

/** The fields of a caption; none when it is empty. */
export function captionContent({ text, entities }: FormattedText): MessageContent {
  if (text === "") return {};
  return entities.length > 0 ? { caption: text, caption_entities: entities } : { caption: text };
}
