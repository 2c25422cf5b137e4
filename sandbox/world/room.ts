/**
 * Room: one chat as one bot has it: who is in it, what was said, and what the bot may do there.
 *
 * Keeps the latest messages only; older ones are "not found", as though deleted.
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
  /** What stands below the input field. */
  keyboard: ChatKeyboard | undefined;
  /** Supergroups and channels count their messages themselves. */
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

  /** In order of id. */
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
