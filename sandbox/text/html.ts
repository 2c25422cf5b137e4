/** HTML: parses `parse_mode=HTML`. Source: Bot API, HTML style; tdlib/td, MessageEntity.cpp. */
import type { Entity, FormattedText } from "../world/objects.ts";
import { byteOffset, markupError } from "./markup-error.ts";

interface OpenTag {
  readonly name: string;
  readonly offset: number;
  readonly attribute: string;
}

const entityTypes: Readonly<Record<string, string>> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  u: "underline",
  ins: "underline",
  a: "text_link",
  code: "code",
  pre: "pre",
  span: "spoiler",
  "tg-spoiler": "spoiler",
  "tg-emoji": "custom_emoji",
  blockquote: "blockquote",
};

const references: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };
const reference = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot));?/iy;

export function parseHtml(source: string): FormattedText {
  return new HtmlParser(source).parse();
}

class HtmlParser {
  readonly #source: string;
  readonly #open: OpenTag[] = [];
  readonly #entities: Entity[] = [];
  #text = "";
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): FormattedText {
    const source = this.#source;
    while (this.#at < source.length) {
      const character = source[this.#at];
      if (character === "&") this.#reference();
      else if (character !== "<") this.#plain();
      else if (source[this.#at + 1] === "/") this.#endTag();
      else this.#startTag();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed) {
      throw markupError(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
    }
    return { text: this.#text, entities: this.#entities };
  }

  #plain(): void {
    const rest = this.#source.slice(this.#at).search(/[<&]/);
    const end = rest < 0 ? this.#source.length : this.#at + rest;
    this.#text += this.#source.slice(this.#at, end);
    this.#at = end;
  }

  #reference(): void {
    reference.lastIndex = this.#at;
    const match = reference.exec(this.#source);
    const [whole = "", decimal, hexadecimal, name] = match ?? [];
    const decoded = decodedReference({ decimal, hexadecimal, name });
    if (decoded === "") {
      this.#text += "&";
      this.#at += 1;
      return;
    }
    this.#text += decoded;
    this.#at += whole.length;
  }

  #startTag(): void {
    const begin = this.#at;
    const unclosed = () =>
      markupError(`Unclosed start tag at byte offset ${byteOffset(this.#source, begin)}`);
    const end = tagEnd(this.#source, begin + 1);
    if (end < 0) throw unclosed();
    const inside = this.#source.slice(begin + 1, end);
    const name = (/^[^\s>]*/.exec(inside)?.[0] ?? "").toLowerCase();
    const attributes = attributesOf(inside.slice(name.length));
    const spoiler = attributes.get("class") === "tg-spoiler";
    if (entityTypes[name] === undefined || (name === "span" && !spoiler)) {
      throw markupError(
        `Unsupported start tag "${name}" at byte offset ${byteOffset(this.#source, begin)}`,
      );
    }
    this.#at = end + 1;
    const attribute =
      attributes.get("href") ?? attributes.get("emoji-id") ?? attributes.get("class") ?? "";
    this.#open.push({ name, offset: this.#text.length, attribute });
  }

  #endTag(): void {
    const begin = this.#at;
    const offset = () => byteOffset(this.#source, begin);
    const end = this.#source.indexOf(">", begin);
    const tag = this.#open.pop();
    if (!tag) throw markupError(`Unexpected end tag at byte offset ${offset()}`);
    if (end < 0) throw markupError(`Unclosed end tag at byte offset ${offset()}`);
    const found = this.#source
      .slice(begin + 2, end)
      .trim()
      .toLowerCase();
    if (found !== "" && found !== tag.name) {
      throw markupError(
        `Unmatched end tag at byte offset ${offset()}, expected "</${tag.name}>", found "</${found}>"`,
      );
    }
    this.#at = end + 1;
    this.#close(tag);
  }

  #close(tag: OpenTag): void {
    const range = { offset: tag.offset, length: this.#text.length - tag.offset };
    if (range.length === 0) return;
    const type = entityTypes[tag.name] as string;
    if (type === "text_link") {
      const url = tag.attribute || this.#text.slice(tag.offset);
      if (/^(?:https?|tg|mailto|tel):|^[^\s/]+\.[^\s]+$/i.test(url)) {
        this.#entities.push({ ...range, type, url });
      }
    } else if (type === "custom_emoji") {
      this.#entities.push({ ...range, type, custom_emoji_id: tag.attribute });
    } else if (type === "code" && tag.attribute.startsWith("language-")) {
      this.#entities.push({ ...range, type: "pre", language: tag.attribute.slice(9) });
    } else if (type !== "pre" || !this.#isCodeAt(range)) {
      this.#entities.push({ ...range, type });
    }
  }

  /** `<pre><code class="language-x">` is one entity, not two. */
  #isCodeAt(range: { offset: number; length: number }): boolean {
    const last = this.#entities.at(-1);
    return last?.type === "pre" && last.offset === range.offset && last.length === range.length;
  }
}

interface Reference {
  readonly decimal: string | undefined;
  readonly hexadecimal: string | undefined;
  readonly name: string | undefined;
}

function decodedReference({ decimal, hexadecimal, name }: Reference): string {
  if (name !== undefined) return references[name.toLowerCase()] ?? "";
  const code = decimal ? Number(decimal) : Number.parseInt(hexadecimal ?? "", 16);
  const valid = code > 0 && code < 0x110000 && (code < 0xd800 || code > 0xdfff);
  return valid ? String.fromCodePoint(code) : "";
}

function withoutReferences(value: string): string {
  if (!value.includes("&")) return value;
  return value.replace(new RegExp(reference.source, "gi"), (whole, ...groups) => {
    const [decimal, hexadecimal, name] = groups as (string | undefined)[];
    return decodedReference({ decimal, hexadecimal, name }) || whole;
  });
}

/** Index of the `>` that is not inside quotes, or -1. */
function tagEnd(source: string, start: number): number {
  let quote = "";
  for (let at = start; at < source.length; at++) {
    const character = source[at] as string;
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === ">") return at;
    else if ((character === '"' || character === "'") && source[at - 1] === "=") quote = character;
  }
  return -1;
}

function attributesOf(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  const pattern = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/g;
  for (const [, name = "", double, single, bare] of text.matchAll(pattern)) {
    attributes.set(name.toLowerCase(), withoutReferences(double ?? single ?? bare ?? ""));
  }
  return attributes;
}
