/**
 * Queries: methods that answer button presses, inline queries and Mini Apps.
 *
 * Source: Bot API, Inline mode; error texts of tdlib/telegram-bot-api, Client.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { InlineResult, InlineResultsButton } from "../world/inline-mode.ts";
import { type Call, objectIn, userId } from "./call.ts";
import { placeResult } from "./inline-results.ts";

const resultsMax = 50;
/** How long a prepared message can be used. */
const preparedForS = 3_600;

export function answerCallbackQuery(call: Call): true {
  const { account, parameters } = call;
  const query = account.queries.answer(parameters.text("callback_query_id"), "callback_query");
  account.changed({
    kind: "callback-answer",
    chatId: query.chatId ?? query.userId,
    userId: query.userId,
    text: parameters.text("text"),
    showAlert: parameters.boolean("show_alert"),
    ...(parameters.text("url") ? { url: parameters.text("url") } : {}),
  });
  return true;
}

export function answerInlineQuery(call: Call): true {
  const { account, parameters } = call;
  const button = readButton(call);
  const results = parameters.json("results", "can't parse inline query results JSON object");
  if (!Array.isArray(results)) throw badRequest("expected an Array of inline query results");
  if (results.length > resultsMax) throw badRequest("too many inline query results specified");
  const checked = results.map(checkedResult);
  if (new Set(checked.map(({ id }) => id)).size < checked.length) {
    throw badRequest("RESULT_ID_DUPLICATE");
  }
  const id = parameters.text("inline_query_id");
  account.queries.answer(id, "inline_query");
  account.inline.answer(id, checked, button);
  return true;
}

/** The button above the results: it opens a Mini App, or the chat with the bot. */
function readButton(call: Call): InlineResultsButton | undefined {
  const button = objectIn(call, "button", "inline query results button");
  if (!button) return undefined;
  const { start_parameter: start, text, web_app: app } = button;
  const problem = (reason: string) =>
    badRequest(`can't parse inline query results button: ${reason}`);
  if (typeof text !== "string") throw problem('Can\'t find field "text"');
  if (isRecord(app)) return { text, web_app: { url: String(app["url"] ?? "") } };
  if (typeof start !== "string") throw badRequest("BUTTON_INVALID");
  if (!/^[\w-]{1,64}$/.test(start)) throw badRequest("START_PARAM_INVALID");
  return { text, start_parameter: start };
}

/** Sends the result in the name of the person who uses the Mini App. */
export function answerWebAppQuery(call: Call): unknown {
  const result = singleResult(call);
  const id = call.parameters.text("web_app_query_id");
  const { userId: author } = call.account.queries.answer(id, "web_app");
  return { inline_message_id: placeResult(call, author, author, result) };
}

/** Answers a message in a chat in which the bot is a guest. */
export function answerGuestQuery(call: Call): unknown {
  const result = singleResult(call);
  const id = call.parameters.text("guest_query_id");
  const query = call.account.queries.answer(id, "guest_message");
  const chatId = query.chatId ?? query.userId;
  return { inline_message_id: placeResult(call, call.account.id, chatId, result) };
}

const chatKinds = ["user", "bot", "group", "channel"];

export function savePreparedInlineMessage(call: Call): unknown {
  const { account, around, parameters } = call;
  const owner = userId(call);
  const result = singleResult(call);
  if (!chatKinds.some((kind) => parameters.boolean(`allow_${kind}_chats`))) {
    throw badRequest("at least one chat type must be allowed");
  }
  if (!around.users.has(owner)) throw badRequest("USER_ID_INVALID");
  const id = randomId(around.random);
  account.inline.answer(id, [result]);
  return { id, expiration_date: around.clock.epochS() + preparedForS };
}

export function savePreparedKeyboardButton(call: Call): unknown {
  const { account, around, parameters } = call;
  const owner = userId(call);
  const problem = "can't parse keyboard button";
  const button = parameters.json("button", `${problem} JSON object`);
  if (button === undefined) throw badRequest(`${problem} JSON object`);
  if (!isRecord(button)) {
    throw badRequest(`${problem}: KeyboardButton must be a String or an Object`);
  }
  if (typeof button["text"] !== "string") throw badRequest(`${problem}: Can't find field "text"`);
  if (!around.users.has(owner)) throw badRequest("USER_ID_INVALID");
  const asks = ["request_users", "request_chat", "request_managed_bot"];
  if (!asks.some((name) => button[name] !== undefined)) throw badRequest("BUTTON_TYPE_INVALID");
  const id = randomId(around.random);
  account.inline.answer(id, [button]);
  return { id };
}

function singleResult({ parameters }: Call): InlineResult {
  const value = parameters.json("result", "can't parse inline query result JSON object");
  if (value === undefined) throw badRequest("result isn't specified");
  return checkedResult(value);
}

function checkedResult(value: unknown): InlineResult {
  const problem = (text: string) => badRequest(`can't parse inline query result: ${text}`);
  if (!isRecord(value)) throw problem("Inline query result must be an object");
  const { id, type } = value;
  if (typeof type !== "string") throw problem('Can\'t find field "type"');
  if (!resultTypes.has(type)) {
    throw problem(`type "${type}" is unsupported for the inline query result`);
  }
  if (typeof id !== "string" && typeof id !== "number") throw problem('Can\'t find field "id"');
  if (String(id) === "" || Buffer.byteLength(String(id)) > 64)
    throw badRequest("RESULT_ID_INVALID");
  if (type === "article") {
    if (typeof value["title"] !== "string") throw problem('Can\'t find field "title"');
    if (!isRecord(value["input_message_content"])) {
      throw problem("Input message content is not specified");
    }
  }
  return { ...value, id: String(id) };
}

/** Source: Bot API, InlineQueryResult. */
const resultTypes: ReadonlySet<string> = new Set([
  "article",
  "audio",
  "contact",
  "document",
  "game",
  "gif",
  "location",
  "mpeg4_gif",
  "photo",
  "sticker",
  "venue",
  "video",
  "voice",
]);
