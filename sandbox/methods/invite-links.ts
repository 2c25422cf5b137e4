/**
 * Invite links: methods that make and end them, and that answer those who ask to join.
 *
 * Source: Bot API, ChatInviteLink; tdlib/td, DialogInviteLinkManager.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import type { InviteLink } from "../world/invite-links.ts";
import type { Room } from "../world/room.ts";
import { type Call, needRight, roomFor, userId, userWith } from "./call.ts";
import { change } from "./moderation.ts";

const nameLengthMax = 32;
const membersMax = 100_000;
/** The only period that Telegram accepts. */
const subscriptionPeriodS = 2_592_000;
const subscriptionPriceMax = 10_000;

export function exportChatInviteLink(call: Call): string {
  const room = invitable(call);
  const old = room.invites.primary;
  if (old) room.invites.put({ ...old, is_revoked: true });
  return room.invites.put(newLink(call, { is_primary: true })).invite_link;
}

export function createChatInviteLink(call: Call): InviteLink {
  const room = invitable(call);
  return room.invites.put(newLink(call, readTerms(call)));
}

export function createChatSubscriptionInviteLink(call: Call): InviteLink {
  const { parameters } = call;
  const room = invitable(call);
  if (room.chat.type === "group") throw badRequest("CHAT_TYPE_INVALID");
  const subscription_period = parameters.integer("subscription_period");
  const subscription_price = parameters.integer("subscription_price");
  if (subscription_period !== subscriptionPeriodS) throw badRequest("SUBSCRIPTION_PERIOD_INVALID");
  if (subscription_price < 1 || subscription_price > subscriptionPriceMax) {
    throw badRequest("invalid subscription price specified");
  }
  return room.invites.put(
    newLink(call, { ...readName(call), subscription_period, subscription_price }),
  );
}

export function editChatInviteLink(call: Call): InviteLink {
  const { link, room } = editable(call);
  const { name, expire_date, member_limit, ...kept } = link;
  return room.invites.put({ ...kept, creates_join_request: false, ...readTerms(call) });
}

export function editChatSubscriptionInviteLink(call: Call): InviteLink {
  const { link, room } = editable(call);
  const { name, ...kept } = link;
  return room.invites.put({ ...kept, ...readName(call) });
}

export function revokeChatInviteLink(call: Call): InviteLink {
  const { link, room } = editable(call);
  return room.invites.put({ ...link, is_revoked: true });
}

export const approveChatJoinRequest = answerRequest((call, room, id) => {
  change(call, room, id, { status: "member" });
});
export const declineChatJoinRequest = answerRequest(() => {});

function answerRequest(take: (call: Call, room: Room, id: number) => void): (call: Call) => true {
  return (call) => {
    const id = userId(call);
    const room = invitable(call);
    userWith(call, id);
    if (room.memberIds.has(id)) throw badRequest("USER_ALREADY_PARTICIPANT");
    if (!room.invites.requests.delete(id)) throw badRequest("HIDE_REQUESTER_MISSING");
    take(call, room, id);
    return true;
  };
}

/** Answers a request by the id of its update, which Telegram gives to bots that guard a chat. */
export function answerChatJoinRequestQuery(call: Call): true {
  const { parameters } = call;
  const query = joinQuery(call);
  const result = parameters.text("result");
  if (!["approve", "decline", "queue"].includes(result))
    throw badRequest("invalid result specified");
  const room = call.account.rooms.get(query.chatId ?? 0);
  call.account.queries.answer(parameters.text("chat_join_request_query_id"), query.kind);
  if (room && result !== "queue" && room.invites.requests.delete(query.userId)) {
    if (result === "approve") change(call, room, query.userId, { status: "member" });
  }
  return true;
}

export function sendChatJoinRequestWebApp(call: Call): true {
  const url = call.parameters.text("web_app_url");
  const query = joinQuery(call);
  if (!URL.canParse(url) || !url.startsWith("https://")) throw badRequest("WEBAPP_URL_INVALID");
  call.account.changed({
    kind: "callback-answer",
    chatId: query.userId,
    userId: query.userId,
    url,
  });
  return true;
}

function joinQuery({ account, parameters }: Call) {
  return account.queries.peek(parameters.text("chat_join_request_query_id"), "chat_join_request");
}

function invitable(call: Call): Room {
  const room = roomFor(call, "write");
  if (room.isPrivate) throw badRequest("can't use invite links in the chat");
  needRight(call, room, "can_invite_users", "not enough rights to manage chat invite link");
  return room;
}

function editable(call: Call): { readonly room: Room; readonly link: InviteLink } {
  const room = invitable(call);
  const link = room.invites.get(call.parameters.text("invite_link"));
  if (!link) throw badRequest("INVITE_HASH_EXPIRED");
  if (link.is_revoked) throw badRequest("INVITE_REVOKED_MISSING");
  return { room, link };
}

function newLink(call: Call, terms: Partial<InviteLink>): InviteLink {
  const hash = Buffer.from(randomId(call.around.random)).toString("base64url").slice(0, 16);
  return {
    invite_link: `https://t.me/+${hash}`,
    creator: call.account.me,
    creates_join_request: false,
    is_primary: false,
    is_revoked: false,
    ...terms,
  };
}

function readName({ parameters }: Call): Pick<InviteLink, "name"> {
  const name = parameters.text("name");
  if ([...name].length > nameLengthMax) throw badRequest("INVITE_LINK_NAME_TOO_LONG");
  return name === "" ? {} : { name };
}

function readTerms(call: Call): Partial<InviteLink> {
  const { around, parameters } = call;
  const creates_join_request = parameters.boolean("creates_join_request");
  const expire_date = Math.max(0, parameters.integer("expire_date"));
  const member_limit = parameters.integerWithin("member_limit", 0, membersMax, 0);
  if (creates_join_request && member_limit > 0) {
    throw badRequest("member limit can't be specified for links requiring administrator approval");
  }
  if (expire_date > 0 && expire_date <= around.clock.epochS())
    throw badRequest("EXPIRE_DATE_INVALID");
  return {
    ...readName(call),
    creates_join_request,
    ...(expire_date > 0 ? { expire_date } : {}),
    ...(member_limit > 0 ? { member_limit } : {}),
  };
}
