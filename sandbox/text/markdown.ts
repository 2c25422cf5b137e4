/**
 * Markdown: parses the old `parse_mode=Markdown`, which has no nesting.
 *
 * Source: Bot API, Markdown style; tdlib/td, MessageEntity.cpp.
 */
import type { Entity, FormattedText } from "../world/objects.ts";
import { byteOffset, markupError } from "./markup-error.ts";

const marks = "_*`[";

export function parseMarkdown(source: string): FormattedText {
  const entities: Entity[] = [];
  let text = "";
  let at = 0;
  while (at < source.length) {
    const character = source[at] as string;
    if (character === "\\" && marks.includes(source[at + 1] ?? " ")) {
      text += source[at + 1];
      at += 2;
    } else if (!marks.includes(character)) {
      text += character;
      at += 1;
    } else {
      const entity = entityAt(source, at);
      const range = { offset: text.length, length: entity.text.length };
      if (range.length > 0 && entity.fields) entities.push({ ...range, ...entity.fields });
      text += entity.text;
      at = entity.end;
    }
  }
  return { text, entities };
}

interface FoundEntity {
  readonly text: string;
  /** Undefined when it is plain text in brackets. */
  readonly fields: Omit<Entity, "offset" | "length"> | undefined;
  readonly end: number;
}

function entityAt(source: string, at: number): FoundEntity {
  const fence = source.startsWith("```", at);
  const open = fence ? "```" : (source[at] as string);
  const close = open === "[" ? "]" : open;
  const start = at + open.length;
  const end = source.indexOf(close, start);
  if (end < 0) {
    const offset = byteOffset(source, at);
    throw markupError(`Can't find end of the entity starting at byte offset ${offset}`);
  }
  const inside = source.slice(start, end);
  const after = end + close.length;
  if (open === "[") return link(source, inside, after);
  if (fence) return preformatted(inside, after);
  const type = open === "*" ? "bold" : open === "_" ? "italic" : "code";
  return { text: inside, fields: { type }, end: after };
}

function link(source: string, text: string, after: number): FoundEntity {
  const close = source[after] === "(" ? source.indexOf(")", after) : -1;
  if (close < 0) return { text, fields: undefined, end: after };
  const url = source.slice(after + 1, close);
  const fields = url.includes(".") || url.includes(":") ? { type: "text_link", url } : undefined;
  return { text, fields, end: close + 1 };
}

function preformatted(inside: string, end: number): FoundEntity {
  const match = /^([^\s`]+)\n([\s\S]*)$/.exec(inside);
  if (match?.[1] && match[2] !== undefined) {
    return { text: match[2], fields: { type: "pre", language: match[1] }, end };
  }
  return { text: inside, fields: { type: "pre" }, end };
}
