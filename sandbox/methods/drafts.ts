/**
 * Drafts: rich messages, and answers that grow before the eyes of the person.
 *
 * Source: Bot API, sendMessageDraft and sendRichMessage.
 */
import { badRequest } from "../http/answer.ts";
import { readFormattedText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import { blocksOfHtml, blocksOfMarkdown } from "../text/rich-blocks.ts";
import type { MessageContent } from "../world/account.ts";
import { type Call, type Effect, objectIn, roomFor } from "./call.ts";
import { checkLength, prepareMessage } from "./sending.ts";

const richLengthMax = 32_768;

export function sendRichMessage(call: Call): Effect {
  const { content, text } = readRich(call);
  return prepareMessage(call, { content, check: () => checkRich(text) });
}

export function sendMessageDraft(call: Call): true {
  const formatted = readFormattedText(call.parameters, "text", "entities");
  return show(call, formatted.text, () => checkLength(formatted));
}

export function sendRichMessageDraft(call: Call): true {
  const { text } = readRich(call);
  return show(call, text, () => checkRich(text));
}

/** Shows what the bot has written so far; an empty text is a placeholder. */
function show(call: Call, text: string, check: () => void): true {
  const { account, parameters } = call;
  const id = parameters.integer("draft_id");
  const room = roomFor(call, "write");
  if (!room.isPrivate) throw badRequest("TEXTDRAFT_PEER_INVALID");
  if (id === 0) throw badRequest("invalid draft identifier specified");
  check();
  room.draft = { id, text };
  account.changed({ kind: "draft", ...room.place, text });
  return true;
}

function checkRich(text: string): void {
  if (text.trim() === "") throw badRequest("message text is empty");
  if ([...text].length > richLengthMax) throw badRequest("message is too long");
}

/** The message's content, and its words alone. Also `editMessageText` takes one. */
export function readRich(call: Call): { readonly content: MessageContent; readonly text: string } {
  const rich = objectIn(call, "rich_message", "rich message");
  if (!rich) throw badRequest("message text is empty");
  const { blocks, html, markdown } = rich;
  if ([blocks, html, markdown].filter((value) => value !== undefined).length !== 1) {
    throw badRequest("exactly one of the fields html, markdown, or blocks must be used");
  }
  if (blocks !== undefined && !Array.isArray(blocks)) {
    throw badRequest("can't parse rich message: expected an Array of blocks");
  }
  const given =
    blocks ??
    (html === undefined ? blocksOfMarkdown(String(markdown)) : blocksOfHtml(String(html)));
  const right = rich["is_rtl"] === true ? { is_rtl: true } : {};
  return { content: { rich_message: { blocks: given, ...right } }, text: wordsOf(given) };
}

/** Every text inside of blocks. */
function wordsOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    // The pieces of a text follow each other; blocks and items are lines.
    const isText = value.some((piece) => typeof piece === "string");
    return value.map(wordsOf).join(isText ? "" : "\n");
  }
  if (!isRecord(value)) return "";
  const { blocks, items, text } = value;
  return [text, blocks, items].map(wordsOf).join("");
}
