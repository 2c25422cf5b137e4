/**
 * Reply markup: reads the keyboard of a message, and checks it as Telegram does.
 *
 * Source: Bot API, InlineKeyboardMarkup; error texts of tdlib/telegram-bot-api, Client.cpp.
 */
import { badRequest } from "../http/answer.ts";
import type { Parameters } from "../http/parameters.ts";
import type { InlineButton, InlineKeyboard } from "../world/objects.ts";

/** A keyboard below the input field, its removal, or a forced reply. Messages do not echo it. */
export interface ChatKeyboard {
  readonly kind: "keyboard" | "remove" | "force-reply";
  readonly markup: Readonly<Record<string, unknown>>;
}

export interface ReplyMarkup {
  readonly inline?: InlineKeyboard;
  readonly chat?: ChatKeyboard;
}

const markupBytesMax = 10_240;
const dataBytesMax = 64;

/** An inline button needs one of these fields. */
const actions = [
  "callback_data",
  "url",
  "web_app",
  "login_url",
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
  "copy_text",
  "callback_game",
  "pay",
] as const;

export function readReplyMarkup(parameters: Parameters): ReplyMarkup {
  const raw = parameters.raw("reply_markup") ?? "";
  if (raw === "" || raw === "null") return {};
  const markup = parameters.json("reply_markup", "can't parse reply keyboard markup JSON object");
  if (!isRecord(markup)) throw badRequest("object expected as reply markup");
  if (raw.length > markupBytesMax) throw badRequest("reply markup is too long");
  if (markup["inline_keyboard"] !== undefined) {
    return inlineMarkup(markup["inline_keyboard"]);
  }
  if (Array.isArray(markup["keyboard"])) return { chat: { kind: "keyboard", markup } };
  if (markup["remove_keyboard"] === true) return { chat: { kind: "remove", markup } };
  if (markup["force_reply"] === true) return { chat: { kind: "force-reply", markup } };
  return {};
}

function inlineMarkup(rows: unknown): ReplyMarkup {
  if (!Array.isArray(rows)) {
    throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array');
  }
  const keyboard = rows.map((row: unknown) => {
    if (!Array.isArray(row)) {
      throw badRequest(
        'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
      );
    }
    return row.map(checkedButton);
  });
  const filled = keyboard.filter((row) => row.length > 0);
  return filled.length === 0 ? {} : { inline: { inline_keyboard: filled } };
}

function checkedButton(value: unknown): InlineButton {
  const problem = (text: string) => badRequest(`can't parse inline keyboard button: ${text}`);
  if (!isRecord(value)) throw problem("InlineKeyboardButton must be an Object");
  const text = value["text"];
  if (typeof text !== "string") throw problem('Can\'t find field "text"');
  if (text.trim() === "") throw badRequest("BUTTON_TEXT_INVALID");
  if (!actions.some((action) => value[action] !== undefined)) {
    throw problem("Text buttons are unallowed in the inline keyboard");
  }
  const data = value["callback_data"];
  if (data !== undefined && (typeof data !== "string" || !dataFits(data))) {
    throw badRequest("BUTTON_DATA_INVALID");
  }
  const url = value["url"];
  if (url !== undefined && (typeof url !== "string" || /\s|^$/.test(url))) {
    throw badRequest(`inline keyboard button URL '${String(url)}' is invalid: Wrong HTTP URL`);
  }
  return value as unknown as InlineButton;
}

function dataFits(data: string): boolean {
  return data !== "" && Buffer.byteLength(data) <= dataBytesMax;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
