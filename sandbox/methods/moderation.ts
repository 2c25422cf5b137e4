/**
 * Moderation: methods that ban, restrict, promote and name the members of a chat.
 *
 * Source: Bot API; error texts of tdlib/telegram-bot-api, Client.cpp, and tdlib/td,
 * DialogParticipantManager.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { flagsFrom, permissionNames, rightNames, type Standing } from "../world/members.ts";
import type { Room } from "../world/room.ts";
import { type Call, needRight, objectIn, roomFor, userId, userWith } from "./call.ts";
import { memberOf, standingOf } from "./chats.ts";

const titleLengthMax = 16;
/** A ban or restriction shorter than this, or longer than that, is forever. Source: Bot API. */
const shortestS = 30;
const longestS = 366 * 86_400;

export function banChatMember(call: Call): true {
  const { room, id } = target(call);
  needRestrict(call, room);
  if (standingOf(room, id).status === "creator") throw badRequest("can't remove chat owner");
  change(call, room, id, { status: "kicked", untilDate: untilDate(call) });
  return true;
}

/** A member who is not banned is removed, unless `only_if_banned` is given. */
export function unbanChatMember(call: Call): true {
  const { room, id } = target(call);
  onlyLarge(room);
  needRestrict(call, room);
  const banned = standingOf(room, id).status === "kicked";
  if (!banned && call.parameters.boolean("only_if_banned")) return true;
  if (standingOf(room, id).status === "creator") throw badRequest("can't remove chat owner");
  if (room.memberIds.has(id) || banned) change(call, room, id, { status: "left" });
  return true;
}

export function restrictChatMember(call: Call): true {
  const id = userId(call);
  const flags = readPermissions(call);
  const room = groupRoom(call);
  if (room.chat.type !== "supergroup") throw badRequest("method is available only for supergroups");
  needRestrict(call, room);
  const { status } = standingOf(room, id);
  if (status === "creator") throw badRequest("can't restrict chat owner");
  if (status === "administrator") throw badRequest("user is an administrator of the chat");
  const free = permissionNames.every((name) => flags[name]);
  const standing: Standing = free
    ? { status: room.memberIds.has(id) ? "member" : "left" }
    : { status: "restricted", flags, untilDate: untilDate(call) };
  change(call, room, id, standing);
  return true;
}

/** Without a single right the member becomes an ordinary one. */
export function promoteChatMember(call: Call): true {
  const { room, id } = target(call);
  onlyLarge(room);
  needRight(call, room, "can_promote_members", "not enough rights");
  if (standingOf(room, id).status === "creator") throw badRequest("can't remove chat owner");
  const names = rightNames(room.chat.type);
  const given = Object.fromEntries(names.map((name) => [name, call.parameters.boolean(name)]));
  const some = names.some((name) => given[name]) || call.parameters.boolean("is_anonymous");
  if (!room.memberIds.has(id) && id !== call.account.id) throw badRequest("USER_NOT_PARTICIPANT");
  const anonymous = { is_anonymous: call.parameters.boolean("is_anonymous") };
  const flags = { ...flagsFrom(names, given), can_manage_chat: true, ...anonymous };
  const { customTitle } = standingOf(room, id);
  const title = customTitle ? { customTitle } : {};
  change(
    call,
    room,
    id,
    some ? { status: "administrator", flags, ...title } : { status: "member" },
  );
  return true;
}

export function setChatAdministratorCustomTitle(call: Call): true {
  const id = userId(call);
  const room = roomFor(call, "write");
  onlyGroups(room);
  const standing = standingOf(room, id);
  if (standing.status === "creator") throw badRequest("only the owner can edit their custom title");
  if (standing.status !== "administrator") throw badRequest("user is not an administrator");
  const customTitle = call.parameters.text("custom_title").trim();
  if ([...customTitle].length > titleLengthMax) throw badRequest("ADMIN_RANK_INVALID");
  change(call, room, id, { ...standing, customTitle });
  return true;
}

export function setChatMemberTag(call: Call): true {
  const id = userId(call);
  const room = roomFor(call, "write");
  onlyGroups(room);
  needRight(call, room, "can_manage_tags", "not enough rights to change the member's tag");
  const standing = standingOf(room, id);
  if (standing.status === "left") throw badRequest("USER_NOT_PARTICIPANT");
  const tag = call.parameters.text("tag").trim();
  if ([...tag].length > titleLengthMax) throw badRequest("TAG_INVALID");
  change(call, room, id, { ...standing, tag });
  return true;
}

export const banChatSenderChat = senderChat((ids, id) => ids.add(id));
export const unbanChatSenderChat = senderChat((ids, id) => ids.delete(id));

function senderChat(set: (ids: Set<number>, id: number) => unknown): (call: Call) => true {
  return (call) => {
    const { parameters } = call;
    const room = roomFor(call, "write");
    const text = parameters.text("sender_chat_id");
    if (text === "") throw badRequest("sender_chat_id is empty");
    const id = parameters.integer("sender_chat_id");
    if (id === 0) throw badRequest("sender_chat_id is not a valid Integer");
    if (room.isPrivate) throw badRequest("PARTICIPANT_ID_INVALID");
    needRestrict(call, room);
    set(room.members.bannedSenderIds, id);
    return true;
  };
}

export function setChatPermissions(call: Call): true {
  const permissions = readPermissions(call);
  const room = groupRoom(call);
  if (room.chat.type === "channel")
    throw badRequest("method is available only for groups and supergroups");
  needRestrict(call, room, "not enough rights to change chat permissions");
  const same = permissionNames.every(
    (name) => permissions[name] === room.members.permissions[name],
  );
  if (same) throw badRequest("CHAT_NOT_MODIFIED");
  room.members.permissions = permissions;
  return true;
}

function readPermissions(call: Call) {
  const given = objectIn(call, "permissions", "permissions");
  if (!given) throw badRequest("can't parse permissions JSON object");
  return flagsFrom(permissionNames, given);
}

function target(call: Call): { readonly room: Room; readonly id: number } {
  const id = userId(call);
  return { room: groupRoom(call), id };
}

function groupRoom(call: Call): Room {
  const room = roomFor(call, "write");
  if (room.isPrivate) throw badRequest("chat member status can't be changed in private chats");
  return room;
}

function onlyLarge(room: Room): void {
  if (room.chat.type === "supergroup" || room.chat.type === "channel") return;
  throw badRequest("method is available for supergroup and channel chats only");
}

function onlyGroups(room: Room): void {
  if (room.chat.type === "supergroup" || room.chat.type === "group") return;
  throw badRequest("method is available only for groups and supergroups");
}

function needRestrict(
  call: Call,
  room: Room,
  text = "not enough rights to restrict/unrestrict chat member",
): void {
  needRight(call, room, "can_restrict_members", text);
}

function untilDate({ around, parameters }: Call): number {
  const date = parameters.integer("until_date");
  const fromNowS = date - around.clock.epochS();
  return fromNowS < shortestS || fromNowS > longestS ? 0 : date;
}

/** Gives a member a new standing, and tells the bot if it wants to know. */
export function change(call: Call, room: Room, id: number, standing: Standing): void {
  const { account, around } = call;
  const user = userWith(call, id);
  const before = memberOf(call, room, id);
  room.members.set(id, standing);
  if (standing.status === "kicked" || standing.status === "left") room.memberIds.delete(id);
  else if (standing.status !== "restricted" && id !== account.id) room.memberIds.add(id);
  account.changed({ kind: "chat", ...room.place });
  const after = { old_chat_member: before, new_chat_member: memberOf(call, room, id) };
  const head = { chat: room.chat, from: account.me, date: around.clock.epochS() };
  account.deliver("chat_member", { ...head, user, ...after }, room.id);
}
