/**
 * Participants: people who react, vote, choose inline results and boost.
 *
 * What they do reaches the bot as the update that Telegram sends for it.
 */
import type { SandboxControl } from "../control-api.ts";
import { placeResult } from "../methods/inline-results.ts";
import { managedBotKey, newToken } from "../methods/managed-bots.ts";
import { isOwnPoll, publishPoll } from "../methods/polls.ts";
import { publishReactions, readReactions } from "../methods/reactions.ts";
import { randomId } from "../random.ts";
import type { User } from "../world/objects.ts";
import type { Poll } from "../world/poll-rules.ts";
import type { PeopleOptions } from "./actors.ts";
import { botProfile } from "./bot-profiles.ts";
import { createBusiness } from "./business-owners.ts";
import { createBuyers } from "./buyers.ts";
import { ControlError, integerIn, textIn } from "./control-error.ts";
import { loginAddress } from "./login-parameters.ts";
import { createMembership } from "./membership.ts";
import { messageOf, roomOf } from "./places.ts";
import { createStickerOwners } from "./sticker-owners.ts";
import { createTaskMarkers } from "./task-markers.ts";
import { createWriters } from "./writers.ts";

type Operations = Pick<
  SandboxControl,
  | "react"
  | "reactions"
  | "vote"
  | "markTasks"
  | "addTasks"
  | "attach"
  | "edit"
  | "erase"
  | "suggestPost"
  | "createStickerSet"
  | "invitation"
  | "join"
  | "setMember"
  | "setPersonalChat"
  | "addBot"
  | "askInline"
  | "inlineResults"
  | "inlineButton"
  | "chooseResult"
  | "connectBusiness"
  | "writeBusiness"
  | "login"
  | "botProfile"
  | "boost"
  | "giveStars"
  | "invoice"
  | "ship"
  | "shippingOptions"
  | "pay"
  | "buyMedia"
  | "manageBot"
>;

const starsMax = 1_000_000_000;
const boostLastsS = 30 * 86_400;

export function createParticipants(options: PeopleOptions): Operations {
  return {
    ...createBusiness(options),
    ...createBuyers(options),
    ...createMembership(options),
    ...createStickerOwners(options),
    ...createTaskMarkers(options),
    ...createWriters(options),
    react: (request) => react(options, request),
    reactions: (request) => {
      const { reactions } = roomOf(options.account(request.botId), request);
      const ids = reactions.messageIds();
      return ids.map((messageId) => ({ messageId, reactions: reactions.counts(messageId) }));
    },
    vote: (request) => vote(options, request),
    askInline: (request) => askInline(options, request),
    inlineResults: ({ botId, inlineQueryId }) =>
      options.account(botId).inline.results(inlineQueryId) ?? null,
    inlineButton: ({ botId, inlineQueryId }) =>
      options.account(botId).inline.button(inlineQueryId) ?? null,
    chooseResult: (request) => chooseResult(options, request),
    login: ({ userId, url, botId }) => {
      if (!URL.canParse(url)) throw new ControlError(400, "url must be a URL");
      const { token } = options.account(botId);
      const user = options.actors.user(userId);
      return { url: loginAddress(url, token, user, options.around.clock.epochS()) };
    },
    botProfile: ({ userId, botId }) =>
      botProfile(options.account(botId), options.actors.user(userId)),
    setPersonalChat: ({ userId, chatId, botId }) => {
      const account = options.account(botId);
      const chat = chatId === undefined ? undefined : roomOf(account, { chatId }).chat;
      if (chat && chat.type !== "channel") throw new ControlError(400, "chatId must be a channel");
      const room = account.privateRoom(options.actors.user(userId));
      if (chat) room.profile["personal_chat"] = chat;
      else delete room.profile["personal_chat"];
      return { updateId: null };
    },
    boost: (request) => boost(options, request),
    giveStars: ({ amount, botId }) => {
      const { payments } = options.account(botId);
      const { around } = options;
      integerIn({ amount }, "amount", 1, starsMax);
      const partner = { type: "fragment" };
      payments.receive({
        id: randomId(around.random),
        amount,
        atEpochS: around.clock.epochS(),
        partner,
      });
      return { balance: payments.balance() };
    },
    manageBot: ({ botId, managedBotId, userId }) => {
      const account = options.account(botId);
      const user = options.actors.user(userId);
      integerIn({ managedBotId }, "managedBotId", 1);
      const username = `managed_${managedBotId}_bot`;
      const bot: User = { id: managedBotId, is_bot: true, first_name: "Managed bot", username };
      options.around.users.set(managedBotId, bot);
      const token = newToken(options, managedBotId);
      account.settings.set(managedBotKey(managedBotId), {
        token,
        restricted: false,
        addedUserIds: [],
      });
      return { updateId: account.deliver("managed_bot", { user, bot }, null) };
    },
  };
}

/** What an operation takes. */
type Request<Name extends keyof Operations> = Operations[Name] extends (
  request: infer Given,
) => unknown
  ? Given
  : never;

/** The update goes to a bot that may see it: in a private chat, or as an administrator. */
function react({ account: accountFor, actors, around }: PeopleOptions, request: Request<"react">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, request);
  const { message_id } = messageOf(room, request.messageId);
  if (!Array.isArray(request.reactions)) throw new ControlError(400, "reactions must be a list");
  const given = request.reactions.map((reaction: unknown) =>
    typeof reaction === "string" ? { type: "emoji", emoji: reaction } : reaction,
  );
  const now = readReactions(given);
  const before = room.reactions.set(message_id, user.id, now);
  publishReactions(account, room, message_id);
  const told = room.isPrivate || room.members.bot(account.id).status === "administrator";
  if (!told || JSON.stringify(before) === JSON.stringify(now)) return { updateId: null };
  const head = { chat: room.chat, message_id };
  const date = around.clock.epochS();
  if (room.chat.type === "channel") {
    const counts = { ...head, date, reactions: room.reactions.counts(message_id) };
    return { updateId: account.deliver("message_reaction_count", counts, room.id) };
  }
  const update = { ...head, user, date, old_reaction: before, new_reaction: now };
  return { updateId: account.deliver("message_reaction", update, room.id) };
}

/** A bot sees who has voted in a poll that is not anonymous, and the counts of each of its own. */
function vote({ account: accountFor, actors }: PeopleOptions, request: Request<"vote">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const message = messageOf(roomOf(account, request), request.messageId);
  const shown = message["poll"] as Poll | undefined;
  if (!shown) throw new ControlError(400, "the message has no poll");
  const { optionIds } = request;
  if (!Array.isArray(optionIds)) throw new ControlError(400, "optionIds must be a list");
  const changed = account.polls.vote(shown.id, user.id, optionIds);
  if (changed.refused !== undefined) throw new ControlError(400, changed.refused);
  const { poll } = changed;
  const pollUpdateId = publishPoll(account, poll);
  if (poll.is_anonymous || !isOwnPoll(account, poll)) return { updateId: pollUpdateId };
  const option_persistent_ids = optionIds.map((id) => poll.options[id]?.persistent_id);
  const answer = { poll_id: poll.id, user, option_ids: optionIds, option_persistent_ids };
  return { updateId: account.deliver("poll_answer", answer, null) };
}

function askInline(
  { account: accountFor, actors, around, queryLifetimeMs }: PeopleOptions,
  request: Request<"askInline">,
) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  if (typeof request.query !== "string") throw new ControlError(400, "query must be a string");
  const id = randomId(around.random);
  const query = { kind: "inline_query", userId: user.id, chatId: null } as const;
  account.queries.open(id, query, queryLifetimeMs);
  account.inline.ask(id, request.query);
  const offset = request.offset ?? "";
  const asked = { id, from: user, chat_type: "sender", query: request.query, offset };
  return { updateId: account.deliver("inline_query", asked, null), inlineQueryId: id };
}

function chooseResult(
  { account: accountFor, actors, around }: PeopleOptions,
  request: Request<"chooseResult">,
) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const id = textIn({ ...request }, "inlineQueryId");
  const result = account.inline.results(id)?.find((found) => found["id"] === request.resultId);
  if (!result) throw new ControlError(404, "there is no such result");
  const room = actors.room(account, user, request);
  const inlineMessageId = placeResult({ account, around }, user.id, room.id, result);
  const chosen = {
    result_id: request.resultId,
    from: user,
    query: account.inline.queryText(id),
    inline_message_id: inlineMessageId,
  };
  return { updateId: account.deliver("chosen_inline_result", chosen, null), inlineMessageId };
}

function boost({ account: accountFor, actors, around }: PeopleOptions, request: Request<"boost">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, request);
  if (room.isPrivate) throw new ControlError(400, "a private chat cannot be boosted");
  const add_date = around.clock.epochS();
  const boost_id = randomId(around.random);
  const source = { source: "premium", user };
  const made = { boost_id, add_date, expiration_date: add_date + boostLastsS, source };
  room.members.boosts.set(user.id, [...(room.members.boosts.get(user.id) ?? []), made]);
  const update = { chat: room.chat, boost: made };
  return { updateId: account.deliver("chat_boost", update, room.id), boostId: boost_id };
}
