/**
 * Members: the standing of each person, and of the bot, in one group or channel.
 *
 * The bot is an administrator with every right unless it was made something else.
 * Source: Bot API, ChatMember, ChatAdministratorRights and ChatPermissions.
 */
import type { Chat, User } from "./objects.ts";

export type Flags = Readonly<Record<string, boolean>>;

export interface Standing {
  readonly status: "creator" | "administrator" | "member" | "restricted" | "left" | "kicked";
  /** An administrator's rights, or a restricted member's permissions. */
  readonly flags?: Flags;
  readonly customTitle?: string;
  readonly tag?: string;
  /** Unix seconds; 0 is forever. */
  readonly untilDate?: number;
}

const commonRights = [
  "can_manage_chat",
  "can_delete_messages",
  "can_manage_video_chats",
  "can_restrict_members",
  "can_promote_members",
  "can_change_info",
  "can_invite_users",
  "can_post_stories",
  "can_edit_stories",
  "can_delete_stories",
  "can_send_welcome_messages",
];
const groupRights = ["can_pin_messages", "can_manage_topics", "can_manage_tags"];
const channelRights = ["can_post_messages", "can_edit_messages", "can_manage_direct_messages"];

export const permissionNames: readonly string[] = [
  "can_send_messages",
  "can_send_audios",
  "can_send_documents",
  "can_send_photos",
  "can_send_videos",
  "can_send_video_notes",
  "can_send_voice_notes",
  "can_send_polls",
  "can_send_other_messages",
  "can_add_web_page_previews",
  "can_react_to_messages",
  "can_change_info",
  "can_invite_users",
  "can_edit_tag",
  "can_pin_messages",
  "can_manage_topics",
];

/** The rights that an administrator of such a chat can have. */
export function rightNames(type: Chat["type"]): readonly string[] {
  return [...commonRights, ...(type === "channel" ? channelRights : groupRights)];
}

/** Every name in `names`, true when `given` has it. */
export function flagsFrom(
  names: readonly string[],
  given: Readonly<Record<string, unknown>>,
): Flags {
  return Object.fromEntries(names.map((name) => [name, given[name] === true]));
}

/** All of `names`, with one value. */
export function allFlags(names: readonly string[], value: boolean): Flags {
  return Object.fromEntries(names.map((name) => [name, value]));
}

/** The standing with these rights; with none of them, an ordinary member's. */
export function standingWith(type: Chat["type"], rights: readonly string[]): Standing {
  if (rights.length === 0) return { status: "member" };
  const given = Object.fromEntries(rights.map((name) => [name, true]));
  return { status: "administrator", flags: flagsFrom(rightNames(type), given) };
}

export class Members {
  readonly #type: Chat["type"];
  readonly #standings = new Map<number, Standing>();
  /** Channels that may not write here. */
  readonly bannedSenderIds = new Set<number>();
  /** Telegram's `ChatBoost` objects, by user. */
  readonly boosts = new Map<number, readonly object[]>();
  /** What a member without a standing of its own may do. */
  permissions: Flags = allFlags(permissionNames, true);

  constructor(type: Chat["type"]) {
    this.#type = type;
  }

  get(userId: number): Standing | undefined {
    return this.#standings.get(userId);
  }

  set(userId: number, standing: Standing): void {
    this.#standings.set(userId, standing);
  }

  /** The bot's standing, which is never absent. */
  bot(botId: number): Standing {
    const flags = allFlags(rightNames(this.#type), true);
    return this.#standings.get(botId) ?? { status: "administrator", flags };
  }
}

/** Telegram's `ChatMember`. */
export function memberObject(user: User, standing: Standing, isMember: boolean): object {
  const { status, flags, customTitle, tag, untilDate = 0 } = standing;
  const titled = customTitle ? { custom_title: customTitle } : {};
  const tagged = tag ? { tag } : {};
  switch (status) {
    case "creator":
      return { user, status, is_anonymous: false, ...titled };
    case "administrator": {
      const anonymous = flags?.["is_anonymous"] ?? false;
      const edit = { can_be_edited: true, is_anonymous: anonymous };
      return { user, status, ...edit, ...flags, ...titled };
    }
    case "restricted":
      return { user, status, ...tagged, is_member: isMember, ...flags, until_date: untilDate };
    case "kicked":
      return { user, status, until_date: untilDate };
    case "member":
      return { user, status, ...tagged };
    case "left":
      return { user, status };
  }
}
