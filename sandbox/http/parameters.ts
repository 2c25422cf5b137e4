/**
 * Parameters: reads the parameters of a Bot API request as Telegram does.
 *
 * Everything is text: a JSON value that is not a string is kept as its raw JSON. The first
 * occurrence of a name wins, and the query string comes first. A malformed body is no error: the
 * parameters before the mistake count.
 * Source: tdlib/td, HttpReader.cpp.
 */
import { isUtf8 } from "node:buffer";
import { badRequest } from "./answer.ts";
import { UnacceptableBodyError, type UploadedFile } from "./body.ts";
import { scanJsonObject } from "./json-scanner.ts";
import { parseMultipart } from "./multipart.ts";

/** All parameters together, names and values. */
export const parameterBytesMax = 2 ** 20;
const journalValueMax = 1_024;
const journalNamesMax = 32;

export class Parameters {
  readonly #values = new Map<string, string>();
  readonly #files = new Map<string, UploadedFile>();
  #bytes = 0;
  /** False: some bytes were not UTF-8; the values have U+FFFD in their place. */
  #utf8 = true;

  /** Throws `UnacceptableBodyError` beyond the limits. */
  static parse(query: string, contentType: string, body: Buffer): Parameters {
    const parameters = new Parameters();
    const add = (name: string, value: string) => parameters.#add(name, value);
    const form = (text: string) =>
      readForm(text, (name, value) => parameters.#addBytes(name, value));
    if (query !== "") form(query);
    if (body.length === 0) return parameters;
    if (!isUtf8(body)) parameters.#utf8 = false;
    const type = contentType.toLowerCase();
    if (type.includes("multipart/form-data")) {
      const multipart = parseMultipart(contentType, body);
      for (const [name, value] of multipart.fields) add(name, value);
      for (const [name, file] of multipart.files) {
        if (!parameters.#files.has(name)) parameters.#files.set(name, file);
      }
    } else if (body.length > parameterBytesMax) {
      throw new UnacceptableBodyError(413, "parameters too large");
    } else if (type.includes("application/x-www-form-urlencoded")) {
      form(body.toString("latin1"));
    } else if (type.includes("application/json")) {
      scanJsonObject(body.toString("utf8"), add);
    }
    return parameters;
  }

  #addBytes(name: Buffer, value: Buffer): void {
    if (!isUtf8(value)) this.#utf8 = false;
    this.#add(name.toString("utf8"), value.toString("utf8"));
  }

  #add(name: string, value: string): void {
    this.#bytes += name.length + value.length;
    if (this.#bytes > parameterBytesMax) {
      throw new UnacceptableBodyError(413, "parameters too large");
    }
    if (!this.#values.has(name)) this.#values.set(name, value);
  }

  /** The raw text, or undefined when it was not given. */
  raw(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The text; empty when it was not given. Throws when it is not UTF-8. */
  text(name: string): string {
    const value = this.#values.get(name) ?? "";
    if ((!this.#utf8 && value.includes("\uFFFD")) || !value.isWellFormed()) {
      throw badRequest("strings must be encoded in UTF-8");
    }
    return value;
  }

  /** Throws `parameter "x" is required` when it is missing or empty. */
  required(name: string): string {
    const value = this.text(name);
    if (value === "") throw badRequest(`parameter "${name}" is required`);
    return value;
  }

  /** Reads a sign and digits, and ignores the rest. Returns 0 when there are no digits. */
  integer(name: string): number {
    const digits = /^-?\d+/.exec(this.#values.get(name) ?? "");
    return digits ? Number(digits[0]) : 0;
  }

  /** The integer, clamped; `missing` when it was not given. */
  integerWithin(name: string, min: number, max: number, missing: number): number {
    if (!this.#values.has(name)) return missing;
    return Math.min(max, Math.max(min, this.integer(name)));
  }

  boolean(name: string): boolean {
    const value = (this.#values.get(name) ?? "").trim().toLowerCase();
    return value === "true" || value === "yes" || value === "1";
  }

  /** The parsed JSON, or undefined when it was not given or is empty. Throws `message` if malformed. */
  json(name: string, message: string): unknown {
    const value = this.#values.get(name);
    if (value === undefined || value === "") return undefined;
    const parsed = parseJson(value);
    if (!parsed) throw badRequest(message);
    return parsed.json;
  }

  /** The parsed JSON, or undefined when it is malformed, because Telegram ignores it then. */
  jsonOrNothing(name: string): unknown {
    return parseJson(this.#values.get(name) ?? "")?.json;
  }

  file(name: string): UploadedFile | undefined {
    return this.#files.get(name);
  }

  /** The parameters for the journal: a bounded number of bounded values. */
  forJournal(): Readonly<Record<string, string>> {
    const record: Record<string, string> = {};
    let names = 0;
    for (const [name, value] of this.#values) {
      if (++names > journalNamesMax) break;
      record[cut(name)] = cut(value);
    }
    for (const [name, file] of this.#files) {
      if (++names > journalNamesMax) break;
      record[cut(name)] = `[file ${cut(file.fileName)}, ${file.content.length} bytes]`;
    }
    return record;
  }
}

function parseJson(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    // The caller knows what a malformed value means.
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > journalValueMax ? `${text.slice(0, journalValueMax)}…` : text;
}

/** @param text Latin-1, one character per byte, like all texts in this file. */
function readForm(text: string, add: (name: Buffer, value: Buffer) => void): void {
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? "" : pair.slice(equals + 1);
    // `+` is a space in a form; a broken escape is kept unchanged.
    add(percentBytes(name.replaceAll("+", " ")), percentBytes(value.replaceAll("+", " ")));
  }
}

/** A path without its percent escapes. */
export function decodePercent(path: string): string {
  return percentBytes(path).toString("utf8");
}

function percentBytes(text: string): Buffer {
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1");
}
