/** Membership: people who join a group, and standings that are given from outside. */
import type { MemberRequest, SandboxControl } from "../control-api.ts";
import { Parameters as NoParameters } from "../http/parameters.ts";
import { botMember, memberOf, standingOf } from "../methods/chats.ts";
import { randomId } from "../random.ts";
import type { Account, Surroundings } from "../world/account.ts";
import { allFlags, flagsFrom, permissionNames, rightNames } from "../world/members.ts";
import { hear, type PeopleOptions } from "./actors.ts";
import { ControlError, textIn } from "./control-error.ts";
import { roomOf } from "./places.ts";

/** How long a request to join can be answered by its id. Source: Bot API, ChatJoinRequest. */
const joinQueryMs = 300_000;

export function createMembership(
  options: PeopleOptions,
): Pick<SandboxControl, "invitation" | "join" | "setMember" | "addBot"> {
  return {
    invitation: ({ botId, link }) => {
      const { room, invite } = invitedTo(options.account(botId), link);
      const { creates_join_request: asksToJoin } = invite;
      return { chat: room.chat, members: room.memberIds.size, asksToJoin };
    },
    join: (request) => join(options, request),
    setMember: (request) => setMember(options, request),
    addBot: (request) => addBot(options, request),
  };
}

/** The chat of a link, and the link. */
function invitedTo(account: Account, link: string) {
  for (const room of account.rooms.values()) {
    const invite = room.isPrivate ? undefined : room.invites.get(link);
    if (invite) return { room, invite };
  }
  throw new ControlError(404, "there is no such link");
}

function join(
  { account: accountFor, actors, around }: PeopleOptions,
  request: Parameters<SandboxControl["join"]>[0],
) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const { chatId } = request;
  const room =
    chatId === undefined
      ? invitedTo(account, textIn({ ...request }, "link")).room
      : roomOf(account, { chatId });
  if (room.isPrivate) throw new ControlError(400, "no one can join a private chat");
  if (standingOf(room, user.id).status === "kicked")
    throw new ControlError(400, "the user is banned");
  if (room.memberIds.has(user.id)) throw new ControlError(400, "the user is a member already");
  const link = request.link === undefined ? undefined : room.invites.get(request.link);
  if (request.link !== undefined && !link) throw new ControlError(404, "there is no such link");
  const { expire_date: expires, member_limit: most } = link ?? {};
  const late = expires !== undefined && expires <= around.clock.epochS();
  const full = link && most !== undefined && room.invites.uses(link.invite_link) >= most;
  if (link?.is_revoked || late || full)
    throw new ControlError(400, "the link is not valid any more");
  const date = around.clock.epochS();
  const by = link ? { invite_link: link } : {};
  if (link?.creates_join_request) {
    room.invites.requests.set(user.id, link.invite_link);
    const query_id = randomId(around.random);
    const query = { kind: "chat_join_request", userId: user.id, chatId: room.id } as const;
    account.queries.open(query_id, query, joinQueryMs);
    const asking = { chat: room.chat, from: user, user_chat_id: user.id, date, ...by, query_id };
    return { updateId: account.deliver("chat_join_request", asking, room.id), waiting: true };
  }
  const before = memberOf(callOf(account, around), room, user.id);
  room.memberIds.add(user.id);
  room.members.set(user.id, { status: "member" });
  if (link) room.invites.use(link.invite_link);
  const members = { old_chat_member: before, new_chat_member: { user, status: "member" } };
  account.deliver("chat_member", { chat: room.chat, from: user, date, ...members, ...by }, room.id);
  const message = account.post(room, user, { new_chat_members: [user] });
  return { updateId: hear(account, room, message), waiting: false };
}

/** The update that is told is the message; `my_chat_member` comes before it. */
function addBot(
  { account: accountFor, actors, around }: PeopleOptions,
  request: Parameters<SandboxControl["addBot"]>[0],
) {
  const account = accountFor(request.botId);
  const from = actors.user(request.userId);
  const room = actors.room(account, from, request);
  if (room.isPrivate) throw new ControlError(400, "a bot is added to groups only");
  room.access = "open";
  const head = { chat: room.chat, from, date: around.clock.epochS() };
  const before = { user: account.me, status: "left" };
  const members = { old_chat_member: before, new_chat_member: botMember(account, room) };
  account.deliver("my_chat_member", { ...head, ...members }, room.id);
  const message = account.post(room, from, { new_chat_members: [account.me] });
  return { updateId: hear(account, room, message) };
}

function callOf(account: Account, around: Surroundings) {
  return { account, around, parameters: new NoParameters() };
}

const statuses = ["creator", "administrator", "member", "restricted", "left", "kicked"];

function setMember({ account: accountFor, actors, around }: PeopleOptions, request: MemberRequest) {
  const account = accountFor(request.botId);
  const room = roomOf(account, request);
  if (room.isPrivate) throw new ControlError(400, "a private chat has no administrators");
  if (!statuses.includes(request.status)) {
    throw new ControlError(400, `status must be one of ${statuses.join(", ")}`);
  }
  const isBot = request.userId === undefined || request.userId === account.id;
  const user = isBot ? account.me : actors.user(request.userId ?? 0);
  const names = request.status === "restricted" ? permissionNames : rightNames(room.chat.type);
  const given = Array.isArray(request.rights) ? request.rights : names;
  const flags = request.rights
    ? flagsFrom(names, Object.fromEntries(given.map((name) => [String(name), true])))
    : allFlags(names, true);
  const call = callOf(account, around);
  const before = memberOf(call, room, user.id);
  room.members.set(user.id, { status: request.status, flags });
  const gone = request.status === "left" || request.status === "kicked";
  if (!isBot && gone) room.memberIds.delete(user.id);
  else if (!isBot) room.memberIds.add(user.id);
  account.changed({ kind: "chat", ...room.place });
  const from = actors.actor(room);
  const head = { chat: room.chat, from, date: around.clock.epochS() };
  const members = { old_chat_member: before, new_chat_member: memberOf(call, room, user.id) };
  const kind = isBot ? "my_chat_member" : "chat_member";
  return { updateId: account.deliver(kind, { ...head, user, ...members }, room.id) };
}
