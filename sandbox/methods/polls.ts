/**
 * Polls: methods that send and stop a poll.
 *
 * Source: Bot API, sendPoll; tdlib/telegram-bot-api, Client.cpp; tdlib/td, PollManager.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { formatText } from "../text/formatted-text.ts";
import { isRecord, readReplyMarkup } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import type { Message } from "../world/objects.ts";
import type { Poll, PollOption } from "../world/poll-rules.ts";
import { arrayIn, type Call, type Effect, messageIn, roomFor } from "./call.ts";
import { prepareMessage } from "./sending.ts";

const questionLengthMax = 300;
const optionLengthMax = 100;
const optionsMax = 12;
const openPeriodMaxS = 2_628_000;

export function sendPoll(call: Call): Effect {
  const poll = readPoll(call);
  const effect = prepareMessage(call, { content: { poll }, check: () => checkPoll(poll) });
  const perform = () => {
    const message = effect.perform() as Message;
    call.account.polls.open(poll, effect.room, message.message_id);
    closeLater(call, poll);
    return message;
  };
  return { ...effect, perform };
}

function readPoll(call: Call): Poll {
  const { parameters } = call;
  const question = formatted(call, "question");
  const options = readOptions(call);
  const quiz = readKind(parameters.text("type")) === "quiz";
  const given = (name: string, missing: boolean) =>
    parameters.raw(name) === undefined ? missing : parameters.boolean(name);
  return {
    id: randomId(call.around.random),
    ...question,
    options,
    total_voter_count: 0,
    is_closed: parameters.boolean("is_closed"),
    is_anonymous: given("is_anonymous", true),
    type: quiz ? "quiz" : "regular",
    allows_multiple_answers: parameters.boolean("allows_multiple_answers"),
    allows_revoting: given("allows_revoting", !quiz),
    members_only: parameters.boolean("members_only"),
    ...(quiz ? readSolution(call) : {}),
    ...formatted(call, "description"),
    ...readTimes(call),
  };
}

function readKind(type: string): "quiz" | "regular" {
  if (type === "quiz") return type;
  if (type === "" || type === "regular") return "regular";
  throw badRequest("unsupported poll type specified");
}

/** The text and its entities under the parameter's own name; nothing when it is empty. */
function formatted({ parameters }: Call, name: string): Readonly<Record<"question", string>> {
  const mode = parameters.text(`${name}_parse_mode`);
  const { text, entities } = formatText(
    parameters.text(name),
    mode,
    parameters.jsonOrNothing(`${name}_entities`),
  );
  const fields =
    text === "" && name !== "question"
      ? {}
      : { [name]: text, ...(entities.length > 0 ? { [`${name}_entities`]: entities } : {}) };
  return fields as Readonly<Record<"question", string>>;
}

function readOptions(call: Call): readonly PollOption[] {
  const options = arrayIn(call, "options", {
    malformed: "options",
    items: "String as options",
  });
  return options.map((option, index) => {
    const value = isRecord(option) ? option["text"] : option;
    if (typeof value !== "string") throw badRequest("expected an option to be of type String");
    const mode = isRecord(option) ? String(option["text_parse_mode"] ?? "") : "";
    const given = isRecord(option) ? option["text_entities"] : undefined;
    const { text, entities } = formatText(value, mode, given);
    const text_entities = entities.length > 0 ? { text_entities: entities } : {};
    return { persistent_id: String(index + 1), text, ...text_entities, voter_count: 0 };
  });
}

/** A quiz's right answers and its explanation. */
function readSolution(call: Call): Readonly<Record<string, unknown>> {
  const { parameters } = call;
  const single = parameters.raw("correct_option_id");
  const list = parameters.json(
    "correct_option_ids",
    "can't parse correct option identifiers JSON object",
  );
  if (list !== undefined && !Array.isArray(list)) {
    throw badRequest("expected an Array of correct option identifiers");
  }
  const ids: readonly unknown[] =
    list ?? (single === undefined ? [] : [parameters.integer("correct_option_id")]);
  if (!ids.every((id) => typeof id === "number")) {
    throw badRequest("correct option identifier must be of type Number");
  }
  return { correct_option_ids: ids, ...formatted(call, "explanation") };
}

function readTimes({ around, parameters }: Call): Readonly<Record<string, number>> {
  const period = parameters.integerWithin("open_period", 0, openPeriodMaxS, 0);
  const given = parameters.integer("close_date");
  if (period > 0) return { open_period: period, close_date: around.clock.epochS() + period };
  return given > 0 ? { close_date: given } : {};
}

function checkPoll(poll: Poll): void {
  const { allows_multiple_answers, correct_option_ids, options, question, type } = poll;
  if (question.trim() === "") throw badRequest("poll question must be non-empty");
  if ([...question].length > questionLengthMax) {
    throw badRequest(`poll question length must not exceed ${questionLengthMax}`);
  }
  if (options.length === 0) throw badRequest("poll must have at least 1 option");
  if (options.length > optionsMax) {
    throw badRequest(`poll can't have more than ${optionsMax} options`);
  }
  for (const { text } of options) {
    if (text.trim() === "") throw badRequest("poll options must be non-empty");
    if ([...text].length > optionLengthMax) {
      throw badRequest(`poll options length must not exceed ${optionLengthMax}`);
    }
  }
  if (type !== "quiz") return;
  const correct = correct_option_ids as readonly number[];
  if (correct.length === 0 || correct.some((id) => !options[id])) {
    throw badRequest("wrong correct option ID specified");
  }
  if (correct.length > 1 && !allows_multiple_answers) {
    throw badRequest("wrong correct option ID specified");
  }
}

/** A poll with a last instant closes itself, and tells the bot. */
function closeLater({ account, around }: Call, poll: Poll): void {
  const closeDate = Number(poll["close_date"] ?? 0);
  if (closeDate === 0 || poll.is_closed) return;
  const waitMs = closeDate * 1_000 - around.clock.epochMs();
  around.clock.schedule(waitMs, () => {
    const closed = account.polls.get(poll.id)?.is_closed ? undefined : account.polls.close(poll.id);
    if (closed) publishPoll(account, closed);
  });
}

/** Shows the poll's new state in its message, and sends it to the bot if it is the bot's own. */
export function publishPoll(account: Account, poll: Poll): number | null {
  const place = account.polls.place(poll.id);
  const message = place?.room.message(place.messageId);
  if (place && message) {
    const fresh = { ...message, poll };
    place.room.put(fresh);
    account.changed({ kind: "edited", ...place.room.place, message: fresh });
  }
  return isOwnPoll(account, poll) ? account.deliver("poll", poll, null) : null;
}

/** A bot hears of votes in its own polls only. */
export function isOwnPoll(account: Account, poll: Poll): boolean {
  const place = account.polls.place(poll.id);
  const message = place?.room.message(place.messageId);
  return message === undefined || isOwnMessage(account, message);
}

function isOwnMessage({ id }: Account, message: Message): boolean {
  const { from, sender_business_bot: bot, sender_chat } = message;
  return from?.id === id || sender_chat !== undefined || bot !== undefined;
}

export function stopPoll(call: Call): Poll {
  const { inline } = readReplyMarkup(call.parameters);
  const room = roomFor(call, "edit");
  const message = messageIn(call, room, "stop", "message with poll to stop");
  const shown = message["poll"] as Poll | undefined;
  if (!shown) throw badRequest("message is not a poll");
  const ours = message.from?.id === call.account.id || message.sender_chat || room.business;
  const known = call.account.polls.get(shown.id) ?? shown;
  if (!ours) throw badRequest("poll can't be stopped");
  if (known.is_closed) throw badRequest("poll has already been closed");
  const { reply_markup, ...rest } = message;
  room.put(inline ? { ...rest, reply_markup: inline } : rest);
  const closed = call.account.polls.close(shown.id) ?? { ...shown, is_closed: true };
  publishPoll(call.account, closed);
  return closed;
}
