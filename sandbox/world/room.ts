/**
 * Room: one chat of one bot, with its members, its messages and the bot's rights.
 *
 * Only the latest messages are kept; older ones are "not found", as if they were deleted.
 */
import type { Access } from "../control-api.ts";
import type { ChatKeyboard } from "../text/reply-markup.ts";
import type { Chat, Message } from "./objects.ts";

const messagesMax = 2_000;

export class Room {
  readonly chat: Chat;
  readonly memberIds = new Set<number>();
  access: Access = "open";
  /** Set when a basic group was upgraded: its new chat id. */
  migratedToChatId: number | undefined;
  /** The keyboard below the input field. */
  keyboard: ChatKeyboard | undefined;
  /** The latest message id of a supergroup or channel, which has a counter of its own. */
  ownMessageIds = 0;
  readonly pinnedIds = new Set<number>();
  readonly #messages = new Map<number, Message>();

  constructor(chat: Chat) {
    this.chat = chat;
  }

  get id(): number {
    return this.chat.id;
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
    return this.#messages.delete(id);
  }
}
