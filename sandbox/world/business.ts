/**
 * Business: the accounts that have connected the bot, with what it may change for them.
 *
 * Source: Bot API, BusinessConnection.
 */
import { badRequest } from "../http/answer.ts";
import type { User } from "./objects.ts";
import type { Room } from "./room.ts";

export interface Story {
  readonly id: number;
  readonly content: Readonly<Record<string, unknown>>;
}

export interface BusinessConnection {
  readonly id: string;
  user: User;
  readonly date: number;
  readonly rights: Readonly<Record<string, true>>;
  enabled: boolean;
  stars: number;
  /** Bio, photo and gift settings. */
  readonly profile: Record<string, unknown>;
  /** The account's chats with its customers, by the customer's id. */
  readonly rooms: Map<number, Room>;
  readonly stories: Map<number, Story>;
}

export const businessRights: readonly string[] = [
  "can_reply",
  "can_read_messages",
  "can_delete_outgoing_messages",
  "can_delete_all_messages",
  "can_edit_name",
  "can_edit_bio",
  "can_edit_profile_photo",
  "can_edit_username",
  "can_change_gift_settings",
  "can_view_gifts_and_stars",
  "can_convert_gifts_to_stars",
  "can_transfer_and_upgrade_gifts",
  "can_transfer_stars",
  "can_manage_stories",
];

export class BusinessConnections {
  readonly #connections = new Map<string, BusinessConnection>();

  add(connection: BusinessConnection): void {
    this.#connections.set(connection.id, connection);
  }

  /** Throws Telegram's error when there is none, or when it lacks the right. */
  get(id: string, right?: string): BusinessConnection {
    const connection = this.#connections.get(id);
    if (!connection) throw badRequest("business connection not found");
    if (right && !connection.rights[right]) throw badRequest("BOT_ACCESS_FORBIDDEN");
    return connection;
  }

  find(id: string): BusinessConnection | undefined {
    return this.#connections.get(id);
  }

  all(): Iterable<BusinessConnection> {
    return this.#connections.values();
  }

  ofUser(userId: number): BusinessConnection | undefined {
    return [...this.#connections.values()].find(({ user }) => user.id === userId);
  }
}

/** Telegram's `BusinessConnection`. */
export function connectionObject({ id, user, date, rights, enabled }: BusinessConnection): object {
  return { id, user, user_chat_id: user.id, date, rights, is_enabled: enabled };
}
