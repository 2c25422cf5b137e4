/**
 * Markup: reads a text's markup as Telegram does, into the text that people see and its entities.
 *
 * It never refuses a text, unlike Telegram: what is no markup stays in the text as it stands, and a
 * tag that Telegram does not know is taken out. For a text that Telegram accepts, the result is what
 * people would see, so it may be sent with `entities` in place of `parse_mode`.
 * Source: Bot API, Formatting options; tdlib/td, MessageEntity.cpp. Linear in the text's length.
 */
import type { JsonObject } from "../../core/message.ts";

/** A range of a text, in UTF-16 code units, with the other fields of the Bot API's MessageEntity. */
export type Entity = JsonObject & {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
};

export interface FormattedText {
  readonly text: string;
  /** By offset; of two at one offset the longer one first. */
  readonly entities: readonly Entity[];
}

/**
 * @param parseMode As in the Bot API; anything else counts as none.
 * @param entities Used without a parse mode. Whatever is no entity within the text is left out.
 */
export function readMarkup(source: string, parseMode: unknown, entities?: unknown): FormattedText {
  switch (typeof parseMode === "string" ? parseMode.toLowerCase() : "") {
    case "html":
      return sorted(readHtml(source));
    case "markdown":
      return sorted(readMarkdown(source));
    case "markdownv2":
      return sorted(new MarkdownV2Reader(source).read());
    default:
      return sorted({ text: source, entities: givenEntities(entities, source.length) });
  }
}

function givenEntities(given: unknown, textLength: number): Entity[] {
  if (!Array.isArray(given)) return [];
  return given.filter((entity: Partial<Entity> | null): entity is Entity => {
    const { length, offset, type } = entity ?? {};
    if (typeof type !== "string" || !isCount(offset) || !isCount(length)) return false;
    return length > 0 && offset + length <= textLength;
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function sorted({ text, entities }: FormattedText): FormattedText {
  const inOrder = entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length);
  return { text, entities: inOrder };
}

// ---- HTML ---------------------------------------------------------------------------------------

const htmlTypes: Readonly<Record<string, string>> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  "tg-spoiler": "spoiler",
};

/**
 * A tag or a reference. A `<` inside a tag ends the look for the tag's end, so that reading stays
 * linear.
 */
const htmlToken =
  /<(?<slash>\/?)(?<name>[a-z][a-z0-9-]*)(?<rest>(?:[\s/](?:[^<>"']|"[^"<]*"|'[^'<]*')*)?)>|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|lt|gt|amp|quot);?/gi;
const htmlReference = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot));?/gi;
const htmlAttribute = /([^\s=/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+)))?/g;
const references: Readonly<Record<string, string>> = { amp: "&", gt: ">", lt: "<", quot: '"' };

interface OpenTag {
  readonly name: string;
  readonly offset: number;
  readonly attributes: ReadonlyMap<string, string>;
  /** The language that a `<code class="language-…">` gives to the `<pre>` around it; the two are one entity. */
  language?: string;
}

function readHtml(source: string): FormattedText {
  let text = "";
  let at = 0;
  const open: OpenTag[] = [];
  const entities: Entity[] = [];
  const closeLast = () => {
    const tag = open.pop() as OpenTag;
    const fields = htmlEntity(tag, open.at(-1));
    const length = text.length - tag.offset;
    if (fields && length > 0) entities.push({ ...fields, offset: tag.offset, length });
  };
  for (const match of source.matchAll(htmlToken)) {
    text += source.slice(at, match.index);
    at = match.index + match[0].length;
    const name = match.groups?.["name"]?.toLowerCase();
    if (name === undefined) text += decodeReferences(match[0]);
    else if (match.groups?.["slash"] !== "/") {
      const attributes = readAttributes(match.groups?.["rest"] ?? "");
      if (name === "br") text += "\n";
      else if (!lonelyTags.has(name)) open.push({ name, offset: text.length, attributes });
    } else {
      // Tags that are closed in the wrong order are closed with the one around them.
      const index = open.findLastIndex((tag) => tag.name === name);
      while (index >= 0 && open.length > index) closeLast();
    }
  }
  text += source.slice(at);
  while (open.length > 0) closeLast();
  return { text, entities };
}

/** Tags of HTML that have no end tag. */
const lonelyTags: ReadonlySet<string> = new Set(["hr", "img", "input", "link", "meta", "wbr"]);

function htmlEntity(tag: OpenTag, parent: OpenTag | undefined) {
  const attribute = (name: string) => tag.attributes.get(name) ?? "";
  switch (tag.name) {
    case "a":
      return attribute("href") === "" ? undefined : { type: "text_link", url: attribute("href") };
    case "blockquote":
      return { type: tag.attributes.has("expandable") ? "expandable_blockquote" : "blockquote" };
    case "code":
      if (parent?.name !== "pre" || parent.offset !== tag.offset) return { type: "code" };
      if (attribute("class").startsWith("language-")) parent.language = attribute("class").slice(9);
      return undefined;
    case "pre":
      return { type: "pre", ...(tag.language && { language: tag.language }) };
    case "span":
      return attribute("class") === "tg-spoiler" ? { type: "spoiler" } : undefined;
    case "tg-emoji":
      return { type: "custom_emoji", custom_emoji_id: attribute("emoji-id") };
    default: {
      const type = htmlTypes[tag.name];
      return type === undefined ? undefined : { type };
    }
  }
}

function readAttributes(source: string): ReadonlyMap<string, string> {
  return new Map(
    [...source.matchAll(htmlAttribute)].map(([, name = "", double, single, bare]) => [
      name.toLowerCase(),
      decodeReferences(double ?? single ?? bare ?? ""),
    ]),
  );
}

function decodeReferences(source: string): string {
  return source.replace(htmlReference, (reference, decimal, hexadecimal, named) => {
    if (named !== undefined) return references[named.toLowerCase()] ?? reference;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    const valid = code > 0 && code < 0x110000 && (code < 0xd800 || code > 0xdfff);
    return valid ? String.fromCodePoint(code) : reference;
  });
}

// ---- Markdown -----------------------------------------------------------------------------------

interface Mark {
  readonly mark: string;
  readonly type: string;
}

const verbatimMarks: readonly Mark[] = [
  { mark: "```", type: "pre" },
  { mark: "`", type: "code" },
];
/** Longest first, so that `__` is not two `_`. */
const markdownMarks: readonly Mark[] = [
  ...verbatimMarks,
  { mark: "*", type: "bold" },
  { mark: "_", type: "italic" },
];
const markdownV2Marks: readonly Mark[] = [
  ...verbatimMarks,
  { mark: "__", type: "underline" },
  { mark: "_", type: "italic" },
  { mark: "*", type: "bold" },
  { mark: "~", type: "strikethrough" },
  { mark: "||", type: "spoiler" },
];
const languageLine = /([^\s`]{1,64})?\n/y;

/** The old Markdown: no nesting, and no escapes inside an entity. */
function readMarkdown(source: string): FormattedText {
  let text = "";
  const entities: Entity[] = [];
  const endless = new Set<string>();
  const add = (inside: string, fields: { readonly type: string; readonly [k: string]: string }) => {
    if (inside.length > 0) entities.push({ ...fields, offset: text.length, length: inside.length });
    text += inside;
  };
  /** The index of `mark` from `start` on; -1 when there is none, which is looked for only once. */
  const find = (mark: string, start: number): number => {
    if (endless.has(mark)) return -1;
    const index = source.indexOf(mark, start);
    if (index < 0) endless.add(mark);
    return index;
  };
  for (let at = 0; at < source.length; ) {
    const character = source[at] as string;
    if (character === "\\" && "_*`[".includes(source[at + 1] ?? " ")) {
      text += source[at + 1];
      at += 2;
      continue;
    }
    if (character === "[") {
      const close = find("]", at + 1);
      const end = close >= 0 && source[close + 1] === "(" ? find(")", close + 2) : -1;
      if (end >= 0) add(source.slice(at + 1, close), link(source.slice(close + 2, end)));
      // Brackets without an address are words.
      else text += source.slice(at, close < 0 ? at + 1 : close + 1);
      at = end >= 0 ? end + 1 : close < 0 ? at + 1 : close + 1;
      continue;
    }
    const found = markdownMarks.find(({ mark }) => source.startsWith(mark, at));
    const close = found ? find(found.mark, at + found.mark.length) : -1;
    if (!found || close < 0) {
      text += character;
      at += 1;
      continue;
    }
    const { language, start } = languageAt(source, at + found.mark.length, found.type);
    const inside = source.slice(Math.min(start, close), close);
    add(inside, { type: found.type, ...(language !== "" && start <= close && { language }) });
    at = close + found.mark.length;
  }
  return { text, entities };
}

function link(url: string): { readonly type: string; readonly [k: string]: string } {
  const emoji = /^tg:\/\/emoji\?id=(\d+)$/.exec(url)?.[1];
  if (emoji !== undefined) return { type: "custom_emoji", custom_emoji_id: emoji };
  return { type: "text_link", url };
}

/** The language in the first line of a `pre`, and where its text starts. */
function languageAt(source: string, at: number, type: string) {
  languageLine.lastIndex = at;
  const match = type === "pre" ? languageLine.exec(source) : null;
  return { language: match?.[1] ?? "", start: at + (match?.[0].length ?? 0) };
}

interface OpenMark {
  readonly type: string;
  /** The piece that holds its mark; it becomes empty when the end is found. */
  readonly piece: number;
  readonly language?: string;
}

/** The address behind a `]`, in parentheses. */
const address = /\(((?:[^()\\]|\\.)*)\)/sy;

/**
 * MarkdownV2. The text is built of pieces, so that a mark whose end does not come stays in the text
 * as it stands: `snake_case` keeps its character.
 */
class MarkdownV2Reader {
  readonly #source: string;
  readonly #pieces: string[] = [];
  /** At most one of each type. */
  readonly #open: OpenMark[] = [];
  readonly #found: { from: number; to: number; fields: { readonly type: string } }[] = [];
  #at = 0;
  #lineStart = true;

  constructor(source: string) {
    this.#source = source;
  }

  read(): FormattedText {
    while (this.#at < this.#source.length) this.#step();
    this.#end("blockquote", 0);
    const offsets = [0];
    for (const { length } of this.#pieces) offsets.push((offsets.at(-1) as number) + length);
    const entities = this.#found.map(({ fields, from, to }) => {
      const offset = offsets[from] as number;
      return { ...fields, offset, length: (offsets[to] as number) - offset };
    });
    return { text: this.#pieces.join(""), entities: entities.filter(({ length }) => length > 0) };
  }

  #step(): void {
    const character = this.#source[this.#at] as string;
    const next = this.#source.charCodeAt(this.#at + 1);
    const verbatim = this.#open.find(({ type }) => type === "pre" || type === "code");
    if (character === "\\" && next > 0 && next < 127) {
      this.#at += 1;
      this.#say(this.#source[this.#at] as string);
    } else if (verbatim) this.#verbatim(verbatim, character);
    else if (character === "\n") this.#line();
    else if (character === ">" && this.#lineStart && !this.#isOpen("blockquote")) {
      this.#begin("blockquote", 1, "");
    } else if (this.#endsExpandable()) {
      this.#end("blockquote", 2, { type: "expandable_blockquote" });
    } else if (character === "[" || this.#sees("![")) this.#bracket(character === "[" ? 1 : 2);
    else if (character === "]" && this.#isOpen("text_link")) this.#closeBracket();
    else this.#mark(character);
  }

  #verbatim({ language, type }: OpenMark, character: string): void {
    const mark = type === "pre" ? "```" : "`";
    if (this.#sees(mark)) this.#end(type, mark.length, { type, ...(language && { language }) });
    else this.#say(character);
  }

  /** A quotation goes on in the next line when that begins with `>`. */
  #line(): void {
    const goesOn = this.#isOpen("blockquote") && this.#source[this.#at + 1] === ">";
    if (!goesOn && this.#open.at(-1)?.type === "blockquote") this.#end("blockquote", 0);
    this.#say("\n");
    if (goesOn) this.#at += 1;
  }

  #endsExpandable(): boolean {
    const after = this.#source[this.#at + 2] ?? "\n";
    const last = after === "\n" && this.#isOpen("blockquote") && !this.#isOpen("spoiler");
    return last && this.#sees("||");
  }

  #bracket(length: number): void {
    // A bracket inside a bracket: only the inner one can be a link.
    const outer = this.#open.findIndex(({ type }) => type === "text_link");
    if (outer >= 0) this.#open.splice(outer, 1);
    this.#begin("text_link", length);
  }

  #closeBracket(): void {
    address.lastIndex = this.#at + 1;
    const found = address.exec(this.#source);
    const url = (found?.[1] ?? "").replace(/\\(.)/gs, "$1");
    if (found && url !== "") {
      this.#end("text_link", 1 + found[0].length, link(url));
      return;
    }
    // Brackets without an address are words.
    this.#open.splice(
      this.#open.findIndex(({ type }) => type === "text_link"),
      1,
    );
    this.#say("]");
  }

  #mark(character: string): void {
    const found = markdownV2Marks.find(({ mark }) => this.#sees(mark));
    if (!found) this.#say(character);
    else if (this.#isOpen(found.type)) this.#end(found.type, found.mark.length);
    else {
      const from = this.#at + found.mark.length;
      const { language, start } = languageAt(this.#source, from, found.type);
      this.#begin(found.type, start - this.#at, undefined, language);
    }
  }

  #say(character: string): void {
    this.#pieces.push(character);
    this.#lineStart = character === "\n";
    this.#at += 1;
  }

  /** @param literal What stays in the text when no end comes. Default: the mark itself. */
  #begin(type: string, length: number, literal?: string, language = ""): void {
    this.#open.push({ type, piece: this.#pieces.length, language });
    this.#pieces.push(literal ?? this.#source.slice(this.#at, this.#at + length));
    this.#at += length;
  }

  /** Ends what is open of this type, if it is; what is open inside it has no end. */
  #end(type: string, length: number, fields: { readonly type: string } = { type }): void {
    const index = this.#open.findIndex((one) => one.type === type);
    const open = this.#open[index];
    if (!open) return;
    this.#open.length = index;
    this.#pieces[open.piece] = "";
    this.#found.push({ from: open.piece, to: this.#pieces.length, fields });
    this.#at += length;
  }

  #isOpen(type: string): boolean {
    return this.#open.some((one) => one.type === type);
  }

  #sees(mark: string): boolean {
    return this.#source.startsWith(mark, this.#at);
  }
}
