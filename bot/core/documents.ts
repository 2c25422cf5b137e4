/**
 * Documents: JSON values by collection and key, for data that is more than a session and less than a
 * table.
 *
 * They are part of the transaction they are used in. Values are sealed on disk; collections and keys
 * are not, so keys hold ids and no words of people. The limits here apply to every store.
 */
import { DataRefusedError } from "./errors.ts";
import { toPlainText } from "./plain-data.ts";

export interface PutOptions {
  /** Milliseconds after which the document is gone; 1 or more. Default: it stays until it is deleted. */
  readonly keepMs?: number;
}

export interface ListOptions {
  /** Only keys that begin with this. Default: all. */
  readonly prefix?: string;
  /** Only keys behind this one, for the next page. Default: from the beginning. */
  readonly after?: string;
  /** 1 to 1000. Default 100. */
  readonly limit?: number;
}

export interface DocumentEntry<T> {
  readonly key: string;
  readonly value: T;
}

/**
 * All of them reject with `DataRefusedError` when a collection, a key, a value or an option is not as
 * described: a collection is 1 to 100 letters, digits and `_ - . :`, a key 1 to 200 characters, a
 * value plain JSON data of at most 64 KiB. Collections that begin with `kit:` are the kit's own.
 */
export interface Documents {
  get<T = unknown>(collection: string, key: string): Promise<T | undefined>;
  /** Stores a value in the place of any earlier one. */
  put(collection: string, key: string, value: unknown, options?: PutOptions): Promise<void>;
  /** @returns false when there was none. */
  delete(collection: string, key: string): Promise<boolean>;
  /** Returns documents ordered by the code points of their keys. */
  list<T = unknown>(
    collection: string,
    options?: ListOptions,
  ): Promise<readonly DocumentEntry<T>[]>;
}

export const documentBytesMax = 65_536;
export const documentKeyLengthMax = 200;
const listLimitMax = 1_000;
const listLimitDefault = 100;
const collectionPattern = /^[\w.:-]{1,100}$/;

/** @throws {DataRefusedError} */
export function checkCollection(collection: unknown): void {
  if (typeof collection === "string" && collectionPattern.test(collection)) return;
  throw new DataRefusedError(
    "documents: collection",
    "1 to 100 letters, digits, or any of _ - . :",
    describeText(collection),
    "Name the collection by what is in it, such as reminders, and put ids into the key.",
  );
}

/** @throws {DataRefusedError} */
export function checkKey(key: unknown, field = "key"): void {
  const fits = typeof key === "string" && key.length <= documentKeyLengthMax && key !== "";
  // SQL engines end a text at NUL, or change what is not Unicode, so two keys could become one.
  if (fits && key.isWellFormed() && !key.includes("\0")) return;
  throw new DataRefusedError(
    `documents: ${field}`,
    `a Unicode text of 1 to ${documentKeyLengthMax} characters without NUL`,
    describeText(key),
    "Make the key of ids, such as String(ctx.from.id).",
  );
}

/** @throws {DataRefusedError} @returns the text to store. */
export function documentText(collection: string, value: unknown): string {
  return toPlainText(value, `documents: ${collection}`, documentBytesMax);
}

/** @throws {DataRefusedError} @returns when a document that is put now expires; `undefined`: never. */
export function expiryOf({ keepMs }: PutOptions, nowEpochMs: number): number | undefined {
  if (keepMs === undefined) return undefined;
  const expiresAtEpochMs = Math.ceil(nowEpochMs + keepMs);
  if (keepMs >= 1 && Number.isSafeInteger(expiresAtEpochMs)) return expiresAtEpochMs;
  throw new DataRefusedError(
    "documents: keepMs",
    "a number of milliseconds, 1 or more",
    describeNumber(keepMs),
    "Leave it out to keep the document until it is deleted.",
  );
}

/** @throws {DataRefusedError} @returns the options with their defaults. */
export function listRequest({ after, limit = listLimitDefault, prefix = "" }: ListOptions) {
  if (after !== undefined) checkKey(after, "after");
  if (prefix !== "") checkKey(prefix, "prefix");
  if (!Number.isInteger(limit) || limit < 1 || limit > listLimitMax) {
    throw new DataRefusedError(
      "documents: limit",
      `a whole number from 1 to ${listLimitMax}`,
      describeNumber(limit),
      "List page by page, with the last key of a page as `after` of the next.",
    );
  }
  return { after, limit, prefix };
}

/** Says how a text is wrong without repeating it, because it may be a user's. */
function describeText(value: unknown): string {
  if (typeof value !== "string") return value === undefined ? "undefined" : `a ${typeof value}`;
  return `a text of ${value.length} characters`;
}

function describeNumber(value: unknown): string {
  return typeof value === "number" ? String(value) : `a ${typeof value}`;
}
