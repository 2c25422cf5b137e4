/** Chats: methods that read chats and their members, and leave. */
import { badRequest } from "../http/answer.ts";
import type { Account } from "../world/account.ts";
import { memberObject, type Standing } from "../world/members.ts";
import type { User } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { type Call, roomFor, userId, userWith } from "./call.ts";

const actions: ReadonlySet<string> = new Set([
  "cancel",
  "typing",
  "upload_photo",
  "record_video",
  "upload_video",
  "record_audio",
  "upload_audio",
  "record_voice",
  "upload_voice",
  "upload_document",
  "find_location",
  "pick_up_location",
  "choose_sticker",
  "record_video_note",
  "upload_video_note",
]);

export function sendChatAction(call: Call): true {
  const action = call.parameters.text("action").toLowerCase();
  const room = roomFor(call, "write");
  if (!actions.has(action)) throw badRequest("wrong parameter action in request");
  call.account.changed({ kind: "action", ...room.place, text: action });
  return true;
}

export function getChat(call: Call): unknown {
  const room = roomFor(call, "read");
  const pinned = room.message([...room.pinnedIds].at(-1) ?? 0);
  const permissions = room.isPrivate ? {} : { permissions: room.members.permissions };
  const link = room.invites.primary?.invite_link;
  const status = emojiStatus(call, room.id);
  return {
    ...room.chat,
    ...permissions,
    ...(link ? { invite_link: link } : {}),
    ...(pinned ? { pinned_message: pinned } : {}),
    ...status,
    ...room.profile,
    accent_color_id: 0,
    max_reaction_count: 11,
    accepted_gift_types: acceptedGiftTypes,
  };
}

/** Nothing once it has expired. */
function emojiStatus({ account, around }: Call, userId: number): object {
  const status = account.settings.get(`emoji-status:${userId}`) as
    | { readonly emoji_status_expiration_date?: number }
    | undefined;
  const until = status?.emoji_status_expiration_date ?? Number.POSITIVE_INFINITY;
  return status && until > around.clock.epochS() ? status : {};
}

const acceptedGiftTypes = {
  unlimited_gifts: true,
  limited_gifts: true,
  unique_gifts: true,
  premium_subscription: true,
  gifts_from_channels: true,
};

export function getChatMember(call: Call): unknown {
  const room = roomFor(call, "edit");
  return memberOf(call, room, userId(call));
}

export function getChatMemberCount(call: Call): number {
  const room = roomFor(call, "edit");
  return room.memberIds.size + (room.isPrivate || room.access === "open" ? 1 : 0);
}

/** The bot itself is not in the list unless other bots are asked for. */
export function getChatAdministrators(call: Call): unknown {
  const room = roomFor(call, "edit");
  if (room.isPrivate) throw badRequest("there are no administrators in the private chat");
  const ids = [...room.memberIds].filter((id) => {
    const { status } = standingOf(room, id);
    return status === "creator" || status === "administrator";
  });
  const people = ids.map((id) => call.around.users.get(id)).filter((user) => !!user);
  const shown = people.map((user) => memberObject(user, standingOf(room, user.id), true));
  const own = room.members.bot(call.account.id);
  const listed = own.status === "administrator" && call.parameters.boolean("return_bots");
  return listed ? [...shown, memberObject(call.account.me, own, true)] : shown;
}

/** A person's standing; the first member of a group made it. */
export function standingOf(room: Room, id: number): Standing {
  const own = room.members.get(id);
  if (own) return own;
  if (!room.memberIds.has(id)) return { status: "left" };
  const [first] = room.memberIds;
  return { status: first === id && !room.isPrivate ? "creator" : "member" };
}

/** Telegram's `ChatMember` of a person or the bot. Throws when they are not known. */
export function memberOf(call: Call, room: Room, id: number): object {
  if (id === call.account.id) return botMember(call.account, room);
  const user = userWith(call, id);
  return memberObject(user, standingOf(room, id), room.memberIds.has(id));
}

/** The bot as a member, as `my_chat_member` shows it. */
export function botMember(account: Account, room: Room): { user: User; status: string } {
  const gone = room.access === "blocked" || room.access === "kicked";
  const left = room.access === "not-member" || room.access === "deleted";
  if (!gone && !left && !room.isPrivate) {
    return memberObject(account.me, room.members.bot(account.id), true) as {
      user: User;
      status: string;
    };
  }
  const status = gone ? "kicked" : left ? "left" : "member";
  return { user: account.me, status, ...(gone ? { until_date: 0 } : {}) };
}

export function leaveChat(call: Call): true {
  const room = roomFor(call, "edit");
  if (room.isPrivate) throw badRequest("chat member status can't be changed in private chats");
  room.access = "not-member";
  call.account.changed({ kind: "chat", ...room.place });
  return true;
}
