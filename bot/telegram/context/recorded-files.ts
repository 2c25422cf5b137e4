/**
 * Recorded files: finds the files in a call as its author wrote it, and stores what is in them.
 *
 * Telegraf describes a file as `{ source }`: a Buffer, a stream or a path, all of which may be gone when
 * the call is made. A small Buffer becomes part of the recorded call, everything else a file of the file
 * store; delivery reads both (client/file-parts.ts). Ids and URLs stay as they are.
 */
import { basename } from "node:path";
import { UnrecordableCallError } from "../../core/errors.ts";
import type { FileContent, FileStore } from "../../core/file-store.ts";
import { contentAt, holdFailure } from "../../core/unread-content.ts";
import { fileFields } from "../delivery/call-message.ts";

/** Bytes of a Buffer that is kept in the call itself: then a small file costs no file. */
const inlineBytesMax = 16_384;
/**
 * The same inside a durable step, whose commit others wait for, so that nothing is read or written to
 * disk in it. With the third that base64 adds it fits into a call.
 */
const inlineBytesInStepMax = 768_000;

/** Maximum bytes of an upload. Source: Bot API, "Sending files". */
const photoBytesMax = 10_000_000;
const fileBytesMax = 50_000_000;

/** Extensions of files without a name, as Telegraf gives them. */
const extensions: Readonly<Record<string, string>> = {
  animation: "mp4",
  audio: "mp3",
  photo: "jpg",
  sticker: "webp",
  thumbnail: "jpg",
  video: "mp4",
  video_note: "mp4",
  voice: "ogg",
};

interface Pending {
  readonly content: () => FileContent;
  readonly bytesMax: number;
  /** The value that stands in the call for the file; completed when it is stored. */
  readonly place: { file?: unknown; readonly filename: string };
}

/** A call whose files are not stored yet. */
export interface CallWithFiles {
  /** The call's fields; whole once `store` has resolved. */
  readonly payload: unknown;
  /** @returns the names of the stored files. Missing when there is nothing to store. */
  readonly store: ((files: FileStore, signal: AbortSignal) => Promise<string[]>) | undefined;
}

/** @throws UnrecordableCallError inside a step, for what is too large for the call itself. */
export function takeFiles(method: string, payload: unknown, inStep: boolean): CallWithFiles {
  if (!mayHoldSource(payload, "")) return { payload, store: undefined };
  const pending: Pending[] = [];
  const take = (value: unknown, field: string, parent: unknown): unknown => {
    if (Array.isArray(value)) return value.map((item) => take(item, field, parent));
    if (!isPlainObject(value)) return value;
    const content = fileFields.has(field) ? contentOf(value["source"]) : undefined;
    if (content === undefined) {
      const entries = Object.entries(value);
      return Object.fromEntries(entries.map(([name, inner]) => [name, take(inner, name, value)]));
    }
    const filename = filenameOf(value, kindOf(field, parent));
    if (content instanceof Uint8Array) {
      if (content.length > (inStep ? inlineBytesInStepMax : inlineBytesMax)) {
        return later(() => content, kindOf(field, parent), filename);
      }
      return { base64: Buffer.from(content).toString("base64"), filename };
    }
    return later(content, kindOf(field, parent), filename);
  };
  const later = (content: () => FileContent, kind: string, filename: string) => {
    if (inStep) {
      throw new UnrecordableCallError(`${method}: ${filename} cannot be stored in a transaction`, {
        hint: `Others wait for its commit. Send the file after ctx.transaction, or a Buffer of at most ${inlineBytesInStepMax} bytes.`,
      });
    }
    const place = { filename };
    const bytesMax = kind === "photo" ? photoBytesMax : fileBytesMax;
    pending.push({ content, bytesMax, place });
    return place;
  };
  const taken = take(payload ?? {}, "", undefined);
  const store = async (files: FileStore, signal: AbortSignal) => {
    const names: string[] = [];
    for (const { bytesMax, content, place } of pending) {
      const file = await files.put(content(), { bytesMax, signal });
      place.file = file;
      names.push(file.name);
    }
    return names;
  };
  return { payload: taken, store: pending.length > 0 ? store : undefined };
}

/** Most calls hold no file, and need not be copied. */
function mayHoldSource(value: unknown, field: string): boolean {
  if (Array.isArray(value)) return value.some((item) => mayHoldSource(item, field));
  if (!isPlainObject(value)) return false;
  if (fileFields.has(field) && value["source"] !== undefined) return true;
  return Object.keys(value).some((name) => mayHoldSource(value[name], name));
}

/** A Buffer itself; a stream or the file at a path to be read; `undefined` when it is none. */
function contentOf(source: unknown): Uint8Array | (() => FileContent) | undefined {
  if (source instanceof Uint8Array) return source;
  if (typeof source === "string") return () => contentAt(source);
  if (typeof source === "object" && source !== null && Symbol.asyncIterator in source) {
    holdFailure(source);
    return () => source as AsyncIterable<Uint8Array>;
  }
  return undefined;
}

/** Returns the kind Telegram takes the file for: an item of an album says it itself. */
function kindOf(field: string, parent: unknown): string {
  const type = field === "media" && isPlainObject(parent) ? parent["type"] : undefined;
  return typeof type === "string" ? type : field;
}

function filenameOf(file: Readonly<Record<string, unknown>>, kind: string): string {
  const { filename, source } = file;
  if (typeof filename === "string") return filename;
  if (typeof source === "string") return basename(source);
  return `${kind}.${extensions[kind] ?? "dat"}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
