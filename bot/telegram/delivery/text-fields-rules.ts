/**
 * Text fields: tells which fields of the Bot API hold text with markup, and takes the markup out.
 *
 * A call whose form Telegram refuses is simplified and made once more. A simplified call has nothing
 * left to simplify, so that the second refusal is final whatever process meets it.
 */
import { graphemesOf } from "../../core/graphemes.ts";
import type { Json, JsonObject } from "../../core/message.ts";
import { readMarkup } from "./markup-rules.ts";

/**
 * Maximum length of a message, after its markup was read. Telegram counts code points; UTF-16 units
 * are never fewer. Source: Bot API, sendMessage ("after entities parsing"); tdlib/td, MessageContent.cpp.
 */
export const textLengthMax = 4_096;
/** Maximum length of a caption, counted likewise. Source: Bot API, sendPhoto. */
export const captionLengthMax = 1_024;

interface TextField {
  readonly text: string;
  readonly parseMode: string;
  readonly entities: string;
  readonly lengthMax: number;
}

/** They stand in the call itself, in the items of an album, in results of an inline query, … */
const textFields: readonly TextField[] = [
  {
    text: "text",
    parseMode: "parse_mode",
    entities: "entities",
    lengthMax: textLengthMax,
  },
  {
    text: "message_text",
    parseMode: "parse_mode",
    entities: "entities",
    lengthMax: textLengthMax,
  },
  {
    text: "caption",
    parseMode: "parse_mode",
    entities: "caption_entities",
    lengthMax: captionLengthMax,
  },
  // A poll's options. Source of its limits: Bot API, sendPoll.
  {
    text: "text",
    parseMode: "text_parse_mode",
    entities: "text_entities",
    lengthMax: textLengthMax,
  },
  {
    text: "question",
    parseMode: "question_parse_mode",
    entities: "question_entities",
    lengthMax: 300,
  },
  {
    text: "explanation",
    parseMode: "explanation_parse_mode",
    entities: "explanation_entities",
    lengthMax: 200,
  },
  {
    text: "quote",
    parseMode: "quote_parse_mode",
    entities: "quote_entities",
    lengthMax: textLengthMax,
  },
];

/**
 * The call's fields with plain text in the place of formatted text, cut at Telegram's limits.
 *
 * @returns `undefined` when there is nothing to simplify.
 */
export function simplify(fields: JsonObject): JsonObject | undefined {
  const simplified = simplifyObject(fields);
  return simplified === fields ? undefined : simplified;
}

/** Returns the same value when nothing in it is to be simplified. */
function simplifyValue(value: Json): Json {
  if (isArray(value)) {
    const items = value.map(simplifyValue);
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  return typeof value === "object" && value !== null ? simplifyObject(value) : value;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function simplifyObject(given: JsonObject): JsonObject {
  const result: { [field: string]: Json } = {};
  for (const [name, value] of Object.entries(given)) result[name] = simplifyValue(value);
  for (const field of textFields) {
    const source = result[field.text];
    if (typeof source === "string") {
      result[field.text] = plain(source, given[field.parseMode], field.lengthMax);
    }
  }
  // Several fields share `parse_mode`, so it goes when all of them have been read.
  for (const { entities, parseMode } of textFields) {
    delete result[parseMode];
    delete result[entities];
  }
  const names = Object.keys(given);
  const same = names.every((name) => result[name] === given[name]);
  return same ? given : result;
}

function plain(source: string, parseMode: Json | undefined, lengthMax: number): string {
  const { text } = readMarkup(source, parseMode);
  // What consists of nothing but markup says more as it stands than an empty message.
  return cutAt(text.trim() === "" ? source : text, lengthMax);
}

/** Cuts at the end of a grapheme, or of a code point in one that is longer than the limit. */
function cutAt(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const { index } = graphemesOf(text.slice(0, lengthMax + 2)).containing(lengthMax) ?? {};
  if (index) return text.slice(0, index);
  const pair = (text.codePointAt(lengthMax - 1) ?? 0) > 0xffff;
  return text.slice(0, pair ? lengthMax - 1 : lengthMax);
}
