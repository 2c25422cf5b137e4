/**
 * Room: one chat of one bot, with its members, its messages and the bot's rights.
 *
 * Only the latest messages are kept; older ones are "not found", as if they were deleted.
 */
import type { Access } from "../control-api.ts";
import type { ChatKeyboard } from "../text/reply-markup.ts";
import { InviteLinks } from "./invite-links.ts";
import { Members } from "./members.ts";
import type { Chat, Message, User } from "./objects.ts";
import { Reactions } from "./reactions.ts";
import { Topics } from "./topics.ts";

const messagesMax = 2_000;

/** The business account that owns the chat, and the connection by which the bot is there. */
export interface BusinessSeat {
  readonly connectionId: string;
  readonly user: User;
}

export class Room {
  /** Replaced when its title changes. */
  chat: Chat;
  readonly memberIds = new Set<number>();
  /** Set when the bot writes here for a business account. */
  readonly business: BusinessSeat | undefined;
  /** What `getChat` tells beside the chat itself: description, photo and so on. */
  readonly profile: Record<string, unknown> = {};
  access: Access = "open";
  /** Set when a basic group was upgraded: its new chat id. */
  migratedToChatId: number | undefined;
  /** The keyboard below the input field. */
  keyboard: ChatKeyboard | undefined;
  /** The latest message id of a supergroup or channel, which has a counter of its own. */
  ownMessageIds = 0;
  /** The latest message of a customer that was read for the business account. */
  readMessageId = 0;
  /** The latest pin is the last one. */
  readonly pinnedIds = new Set<number>();
  /** What the bot is writing; the next message ends it. */
  draft: { readonly id: number; readonly text: string } | undefined;
  readonly #messages = new Map<number, Message>();
  // Most chats have none of these, so each is made at its first use.
  #members: Members | undefined;
  #reactions: Reactions | undefined;
  #topics: Topics | undefined;
  #invites: InviteLinks | undefined;

  constructor(chat: Chat, business?: BusinessSeat) {
    this.chat = chat;
    this.business = business;
  }

  get members(): Members {
    this.#members ??= new Members(this.chat.type);
    return this.#members;
  }

  get reactions(): Reactions {
    this.#reactions ??= new Reactions();
    return this.#reactions;
  }

  get topics(): Topics {
    this.#topics ??= new Topics();
    return this.#topics;
  }

  get invites(): InviteLinks {
    this.#invites ??= new InviteLinks();
    return this.#invites;
  }

  get id(): number {
    return this.chat.id;
  }

  /** The fields of a change that say where it is. */
  get place(): { readonly chatId: number; readonly connectionId?: string } {
    const { business } = this;
    return { chatId: this.id, ...(business ? { connectionId: business.connectionId } : {}) };
  }

  get isPrivate(): boolean {
    return this.chat.type === "private";
  }

  get countsOwnMessages(): boolean {
    return this.chat.type === "supergroup" || this.chat.type === "channel";
  }

  get size(): number {
    return this.#messages.size;
  }

  message(id: number): Message | undefined {
    return this.#messages.get(id);
  }

  /** All messages in order of id. */
  messages(): Iterable<Message> {
    return this.#messages.values();
  }

  lastMessage(): Message | null {
    let last: Message | null = null;
    for (const message of this.#messages.values()) last = message;
    return last;
  }

  put(message: Message): void {
    this.#messages.set(message.message_id, message);
    if (this.#messages.size <= messagesMax) return;
    const oldest = this.#messages.keys().next();
    if (!oldest.done) this.#messages.delete(oldest.value);
  }

  remove(id: number): boolean {
    this.pinnedIds.delete(id);
    this.#reactions?.forget(id);
    return this.#messages.delete(id);
  }
}
