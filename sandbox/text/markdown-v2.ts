/** MarkdownV2: parses nested markup. Source: Bot API, MarkdownV2 style; tdlib/td, MessageEntity.cpp. */
import type { Entity, FormattedText } from "../world/objects.ts";
import { byteOffset, markupError } from "./markup-error.ts";

/** Names as the error messages spell them. */
type Kind =
  | "Bold"
  | "Italic"
  | "Underline"
  | "Strikethrough"
  | "Spoiler"
  | "Code"
  | "Pre"
  | "TextUrl"
  | "CustomEmoji"
  | "BlockQuote";

interface Open {
  readonly kind: Kind;
  readonly offset: number;
  readonly begin: number;
  readonly language: string;
}

const reserved = "_*[]()~`>#+-=|{}.!";

/** Longest first, so that `__` is not two `_`. */
const marks: readonly (readonly [string, Kind])[] = [
  ["```", "Pre"],
  ["`", "Code"],
  ["__", "Underline"],
  ["_", "Italic"],
  ["*", "Bold"],
  ["~", "Strikethrough"],
  ["||", "Spoiler"],
  ["![", "CustomEmoji"],
  ["[", "TextUrl"],
];

const types: Readonly<Record<Kind, string>> = {
  Bold: "bold",
  Italic: "italic",
  Underline: "underline",
  Strikethrough: "strikethrough",
  Spoiler: "spoiler",
  Code: "code",
  Pre: "pre",
  TextUrl: "text_link",
  CustomEmoji: "custom_emoji",
  BlockQuote: "blockquote",
};

export function parseMarkdownV2(source: string): FormattedText {
  return new MarkdownV2Parser(source).parse();
}

class MarkdownV2Parser {
  readonly #source: string;
  readonly #open: Open[] = [];
  readonly #entities: Entity[] = [];
  #text = "";
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): FormattedText {
    while (this.#at < this.#source.length) this.#step();
    this.#closeQuote();
    const unclosed = this.#open.at(-1);
    if (unclosed) {
      const offset = byteOffset(this.#source, unclosed.begin);
      throw markupError(`Can't find end of ${unclosed.kind} entity at byte offset ${offset}`);
    }
    return { text: this.#text, entities: this.#entities };
  }

  #step(): void {
    const character = this.#source[this.#at] as string;
    const next = this.#source.charCodeAt(this.#at + 1);
    if (character === "\\" && next > 0 && next < 127) {
      this.#text += this.#source[this.#at + 1];
      this.#at += 2;
      return;
    }
    const top = this.#open.at(-1);
    const verbatim = top?.kind === "Code" || top?.kind === "Pre";
    if (verbatim ? character === "`" : reserved.includes(character)) this.#mark(character, top);
    else this.#plain(character);
  }

  #plain(character: string): void {
    const endsQuote = character === "\n" && this.#source[this.#at + 1] !== ">";
    if (endsQuote && this.#open.at(-1)?.kind === "BlockQuote") this.#closeQuote();
    this.#text += character;
    this.#at += 1;
  }

  #mark(character: string, top: Open | undefined): void {
    if (character === ">" && this.#atLineStart()) {
      this.#at += 1;
      if (!this.#open.some(({ kind }) => kind === "BlockQuote")) this.#push("BlockQuote", 0);
      return;
    }
    if (character === "]" && (top?.kind === "TextUrl" || top?.kind === "CustomEmoji")) {
      this.#closeLink(top);
      return;
    }
    if (top?.kind === "BlockQuote" && this.#endsExpandable()) {
      this.#open.pop();
      this.#at += 2;
      this.#add(top, { type: "expandable_blockquote" });
      return;
    }
    const found = marks.find(([mark]) => this.#source.startsWith(mark, this.#at));
    if (top?.kind === "Pre" && found?.[1] !== "Pre") this.#plain(character);
    else if (top && found?.[1] === top.kind && character !== "[") this.#close(top, found[0]);
    else if (top?.kind === "Code") this.#close(top, "`");
    else if (found) this.#push(found[1], found[0].length);
    else throw markupError(reservedMessage(character));
  }

  /** An empty bold may stand before a quote, to divide it from the quote above. */
  #atLineStart(): boolean {
    const before = this.#source.slice(0, this.#at);
    return /(?:^|\n)(?:\*\*)?$/.test(before.slice(-3));
  }

  /** Whether the mark of a spoiler ends a quote, which is then folded. */
  #endsExpandable(): boolean {
    return /^\|\|(?:\n|$)/.test(this.#source.slice(this.#at, this.#at + 3));
  }

  #push(kind: Kind, markLength: number): void {
    const begin = this.#at;
    this.#at += markLength;
    let language = "";
    if (kind === "Pre") {
      const match = /^([^\s`]*)\n/.exec(this.#source.slice(this.#at, this.#at + 64));
      language = match?.[1] ?? "";
      this.#at += match?.[0].length ?? 0;
    }
    this.#open.push({ kind, offset: this.#text.length, begin, language });
  }

  #close(top: Open, mark: string): void {
    this.#open.pop();
    this.#at += mark.length;
    this.#add(top, top.language === "" ? {} : { language: top.language });
  }

  #closeQuote(): void {
    const top = this.#open.at(-1);
    if (top?.kind !== "BlockQuote") return;
    this.#open.pop();
    this.#add(top, {});
  }

  #closeLink(top: Open): void {
    this.#open.pop();
    this.#at += 1;
    let url = "";
    if (this.#source[this.#at] === "(") {
      const match = /^\(((?:[^)\\]|\\.)*)\)/s.exec(this.#source.slice(this.#at));
      if (!match) {
        const offset = byteOffset(this.#source, this.#at);
        throw markupError(`Can't find end of a URL at byte offset ${offset}`);
      }
      url = (match[1] ?? "").replace(/\\(.)/gs, "$1");
      this.#at += match[0].length;
    } else if (top.kind === "CustomEmoji") {
      throw markupError("Custom emoji entity must contain a tg://emoji URL");
    }
    if (top.kind === "CustomEmoji") {
      this.#add(top, { custom_emoji_id: /id=(\d+)/.exec(url)?.[1] ?? "" });
    } else if (url !== "") this.#add(top, { url });
  }

  #add(open: Open, more: Partial<Entity>): void {
    const length = this.#text.length - open.offset;
    if (length === 0) return;
    this.#entities.push({ offset: open.offset, length, type: types[open.kind], ...more });
  }
}

function reservedMessage(character: string): string {
  return `Character '${character}' is reserved and must be escaped with the preceding '\\'`;
}
