/** Inline results: makes the message that a chosen inline result sends. Source: Bot API. */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { formatText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account, MessageContent, Surroundings } from "../world/account.ts";
import { captionContent, textContent } from "../world/account.ts";
import type { InlineResult } from "../world/inline-mode.ts";
import type { InlineKeyboard } from "../world/objects.ts";

interface Place {
  readonly account: Account;
  readonly around: Surroundings;
}

/**
 * Posts the result's message in a chat.
 *
 * @param authorId The bot itself, or the person who has chosen it.
 * @returns The message's inline id.
 */
export function placeResult(
  { account, around }: Place,
  authorId: number,
  chatId: number,
  result: InlineResult,
): string {
  const author = authorId === account.id ? account.me : around.users.get(authorId);
  const room = account.rooms.get(chatId);
  if (!author || !room) throw badRequest("chat not found");
  const id = `AQAAA${Buffer.from(randomId(around.random)).toString("base64url").slice(0, 22)}`;
  const via = author === account.me ? {} : { via_bot: account.me };
  const message = account.post(room, author, { ...via, ...resultContent(result) });
  account.inline.put(id, { chatId: room.id, messageId: message.message_id });
  return id;
}

function resultContent(result: InlineResult): MessageContent {
  const input = result["input_message_content"];
  const content = isRecord(input) ? inputContent(input) : mediaContent(result);
  const markup = result["reply_markup"];
  const rows = isRecord(markup) && Array.isArray(markup["inline_keyboard"]);
  return rows ? { ...content, reply_markup: markup as unknown as InlineKeyboard } : content;
}

function inputContent(input: Readonly<Record<string, unknown>>): MessageContent {
  if (typeof input["message_text"] === "string") {
    const mode = String(input["parse_mode"] ?? "");
    return textContent(formatText(input["message_text"], mode, input["entities"]));
  }
  const { address, latitude, longitude, title } = input;
  if (input["phone_number"] !== undefined) return { contact: input };
  const location = { latitude, longitude };
  if (address !== undefined) return { location, venue: { location, title, address } };
  if (latitude !== undefined) return { location };
  return { text: String(title ?? "") };
}

/** The sandbox fetches nothing, so media has the address as its name. */
function mediaContent(result: InlineResult): MessageContent {
  const type = String(result["type"]);
  const mode = String(result["parse_mode"] ?? "");
  const caption = captionContent(
    formatText(String(result["caption"] ?? ""), mode, result["caption_entities"]),
  );
  if (type === "contact" || type === "location" || type === "venue") return inputContent(result);
  if (type === "game")
    return { game: { title: String(result["game_short_name"] ?? ""), photo: [] } };
  const field = type === "gif" || type === "mpeg4_gif" ? "animation" : type;
  const name = String(result["title"] ?? result["id"]);
  const file = { file_id: `AgACinline${name}`, file_unique_id: "AQADinline", file_name: name };
  return { [field]: field === "photo" ? [{ ...file, width: 640, height: 360 }] : file, ...caption };
}
