/**
 * Rich blocks: makes the blocks of a rich message from its HTML or Markdown.
 *
 * Headings, paragraphs, lists, quotes, code and dividers become blocks of their own, and bold, italic,
 * underline, strikethrough, spoiler, code and links stay in their texts. Other tags lose their marks and
 * keep their words; Markdown keeps its inline marks. Source: Bot API, RichBlock and RichText.
 */
import type { Entity, FormattedText } from "../world/objects.ts";
import { parseHtml } from "./html.ts";

export type RichText = string | readonly RichText[] | { readonly [field: string]: unknown };
export type RichBlock = Readonly<Record<string, unknown>>;

const blockTag = /<(h[1-6]|p|pre|ul|ol|blockquote|footer|hr)(?:\s[^>]*)?\/?>/i;
const item = /<li(?:\s[^>]*)?>/i;
/** Tags that the parser of ordinary messages knows; the others are taken out. */
const inlineTag =
  /^<\/?(?:b|strong|i|em|u|ins|s|strike|del|code|pre|a|span|tg-spoiler)(?:\s|>|\/)/i;

/** Throws Telegram's error when the inline markup is wrong. */
export function blocksOfHtml(html: string): readonly RichBlock[] {
  const blocks: RichBlock[] = [];
  let rest = html;
  while (rest !== "") {
    const found = blockTag.exec(rest);
    blocks.push(...paragraphs(rest.slice(0, found?.index ?? rest.length)));
    if (!found) break;
    const name = (found[1] ?? "").toLowerCase();
    const inside = insideOf(rest.slice(found.index + found[0].length), name);
    blocks.push(...blockOf(name, inside.html));
    rest = inside.rest;
  }
  return blocks;
}

/** What stands between a start tag and its end, and what comes after that. */
function insideOf(after: string, name: string): { readonly html: string; readonly rest: string } {
  if (name === "hr") return { html: "", rest: after };
  const tags = new RegExp(`<(/?)${name}(?:\\s[^>]*)?>`, "gi");
  let depth = 1;
  for (const tag of after.matchAll(tags)) {
    depth += tag[1] === "/" ? -1 : 1;
    if (depth === 0) {
      return { html: after.slice(0, tag.index), rest: after.slice(tag.index + tag[0].length) };
    }
  }
  return { html: after, rest: "" };
}

function blockOf(name: string, html: string): readonly RichBlock[] {
  if (name === "hr") return [{ type: "divider" }];
  if (name === "ul" || name === "ol")
    return [{ type: "list", items: itemsOf(html, name === "ol") }];
  if (name === "blockquote") return [{ type: "blockquote", blocks: blocksOfHtml(html) }];
  const text = richText(html);
  if (name === "p") return [{ type: "paragraph", text }];
  if (name.startsWith("h")) return [{ type: "heading", text, size: Number(name.slice(1)) }];
  return [{ type: name, text }];
}

function itemsOf(html: string, ordered: boolean): readonly object[] {
  const items: object[] = [];
  let rest = html;
  for (let found = item.exec(rest); found; found = item.exec(rest)) {
    const inside = insideOf(rest.slice(found.index + found[0].length), "li");
    const label = ordered ? `${items.length + 1}.` : "•";
    items.push({ label, blocks: blocksOfHtml(inside.html) });
    rest = inside.rest;
  }
  return items;
}

/** An empty line begins a new paragraph. */
function paragraphs(html: string): readonly RichBlock[] {
  const parts = html.split(/\n\s*\n/).filter((part) => part.trim() !== "");
  return parts.map((part) => ({ type: "paragraph", text: richText(part.trim()) }));
}

function richText(html: string): RichText {
  const lines = html.replace(/<br\s*\/?>/gi, "\n");
  const known = lines.replace(/<[^>]*>/g, (tag) => (inlineTag.test(tag) ? tag : ""));
  return marked(parseHtml(known));
}

/** A text as Telegram's `RichText`; a text without marks is a string. */
function marked({ entities, text }: FormattedText): RichText {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return piecesOf(text, 0, text.length, sorted);
}

function piecesOf(text: string, from: number, to: number, entities: readonly Entity[]): RichText {
  const pieces: RichText[] = [];
  let at = from;
  for (const [index, entity] of entities.entries()) {
    const end = entity.offset + entity.length;
    if (entity.offset < at || end > to) continue;
    if (entity.offset > at) pieces.push(text.slice(at, entity.offset));
    const inner = piecesOf(text, entity.offset, end, entities.slice(index + 1));
    const { type, url } = entity;
    pieces.push(url === undefined ? { type, text: inner } : { type: "url", text: inner, url });
    at = end;
  }
  if (at < to) pieces.push(text.slice(at, to));
  return pieces.length === 1 ? (pieces[0] as RichText) : pieces;
}

const heading = /^(#{1,6})\s+(.*)$/;
const bullet = /^\s*(?:[-*+]|(\d+\.))\s+(.*)$/;

/** Reads headings, lists, quotes, fences and dividers; what stands in a line stays as it is. */
export function blocksOfMarkdown(markdown: string): readonly RichBlock[] {
  const blocks: RichBlock[] = [];
  const lines = markdown.split("\n");
  while (lines.length > 0) {
    const line = lines.shift() as string;
    const [, signs = "", title] = heading.exec(line) ?? [];
    if (line.trim() === "") continue;
    if (line.startsWith("```")) {
      const text = taken(lines, (next) => !next.startsWith("```")).join("\n");
      lines.shift();
      const language = line.slice(3).trim();
      blocks.push({ type: "pre", text, ...(language ? { language } : {}) });
    } else if (title !== undefined) {
      blocks.push({ type: "heading", text: title, size: signs.length });
    } else if (/^(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) blocks.push({ type: "divider" });
    else if (line.startsWith(">")) {
      const quoted = [line, ...taken(lines, (next) => next.startsWith(">"))];
      const inside = quoted.map((one) => one.replace(/^>\s?/, "")).join("\n");
      blocks.push({ type: "blockquote", blocks: blocksOfMarkdown(inside) });
    } else if (bullet.test(line)) {
      const items = [line, ...taken(lines, (next) => bullet.test(next))].map((one) => {
        const [, label = "•", text = ""] = bullet.exec(one) ?? [];
        return { label, blocks: [{ type: "paragraph", text }] };
      });
      blocks.push({ type: "list", items });
    } else {
      const more = taken(
        lines,
        (next) => !/^\s*$|^#{1,6}\s|^>|^```/.test(next) && !bullet.test(next),
      );
      blocks.push({ type: "paragraph", text: [line, ...more].join("\n") });
    }
  }
  return blocks;
}

/** Takes the lines from the front that fit. */
function taken(lines: string[], fits: (line: string) => boolean): readonly string[] {
  const end = lines.findIndex((line) => !fits(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}
