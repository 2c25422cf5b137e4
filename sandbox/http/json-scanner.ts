/**
 * JSON scanner: reads the members of a top-level object one by one, up to the first malformed one.
 *
 * `JSON.parse` differs from Telegram: it takes the last of two equal names instead of the first, drops
 * everything when one member is malformed, and loses the digits of large numbers.
 */

/** @param add Called with each member; the value is the string, or the raw JSON of anything else. */
export function scanJsonObject(text: string, add: (name: string, value: string) => void): void {
  const scanner = new Scanner(text);
  scanner.skipSpace();
  if (scanner.peek() === '"') {
    const content = scanner.string();
    if (content !== undefined) add("content", content);
    return;
  }
  if (!scanner.take("{")) return;
  while (scanner.member(add)) {
    scanner.skipSpace();
    if (!scanner.take(",")) return;
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): string | undefined {
    return this.#text[this.#at];
  }

  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }

  member(add: (name: string, value: string) => void): boolean {
    this.skipSpace();
    const name = this.string();
    if (name === undefined) return false;
    this.skipSpace();
    if (!this.take(":")) return false;
    this.skipSpace();
    const value = this.peek() === '"' ? this.string() : this.#raw();
    if (value === undefined) return false;
    add(name, value);
    return true;
  }

  string(): string | undefined {
    if (this.peek() !== '"') return undefined;
    const end = this.#endOfString(this.#at);
    if (end < 0) return undefined;
    const literal = this.#text.slice(this.#at, end);
    this.#at = end;
    if (!literal.includes("\\")) return literal.slice(1, -1);
    return parsed(literal);
  }

  /** The raw text of a number, a word, an array or an object. */
  #raw(): string | undefined {
    const start = this.#at;
    let depth = 0;
    for (let at = start; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (character === '"') {
        const end = this.#endOfString(at);
        if (end < 0) return undefined;
        at = end - 1;
      } else if (character === "{" || character === "[") {
        depth += 1;
      } else if (character === "}" || character === "]" || character === ",") {
        if (depth === 0) return this.#valueUntil(start, at);
        if (character !== ",") depth -= 1;
      }
    }
    return depth === 0 ? this.#valueUntil(start, this.#text.length) : undefined;
  }

  #valueUntil(start: number, end: number): string | undefined {
    const value = this.#text.slice(start, end).trim();
    this.#at = end;
    return isJson(value) ? value : undefined;
  }

  /** Index after the closing quote, or -1. */
  #endOfString(start: number): number {
    let at = start;
    while (true) {
      at = this.#text.indexOf('"', at + 1);
      if (at < 0) return -1;
      let slashes = 0;
      while (this.#text[at - 1 - slashes] === "\\") slashes += 1;
      if (slashes % 2 === 0) return at + 1;
    }
  }
}

const simple = /^(?:-?\d+|true|false|null)$/;

function isJson(value: string): boolean {
  if (simple.test(value)) return true;
  try {
    JSON.parse(value);
    return true;
  } catch {
    // It cannot be parsed.
    return false;
  }
}

function parsed(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    // A broken escape: the object ends here.
    return undefined;
  }
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}
