/**
 * Call message: turns a Bot API call into a message for the queue.
 *
 * The lane, the flood cost and the expiry follow from the method's name and the fields alone, so
 * methods that Telegraf does not know are handled like the others.
 */
import { UnrecordableCallError } from "../../core/errors.ts";
import type {
  Json,
  JsonObject,
  MessageType,
  NewMessage,
  Pool,
  Priority,
} from "../../core/message.ts";

/** The payload of a `send`, `broadcast` or `alert`. */
export interface OutgoingCall {
  readonly method: string;
  readonly payload: JsonObject;
  /** The id of the update that asked for the call (correlation.ts). */
  readonly cid?: string;
  /** Names what waits for the call's answer (asked-answer.ts). */
  readonly askedBy?: string;
}

export interface OutgoingOptions {
  readonly type: MessageType;
  readonly priority: Priority;
  /** When the update that asks for it was taken in; the lifetime of an answer starts then. */
  readonly receivedAtEpochMs: number;
  /** The id of that update. Default: no update asked for the call. */
  readonly cid?: string;
}

/** Telegram takes at most 1 MiB of parameters. Source: td `HttpReader.cpp`. */
const callLengthMax = 1024 * 1024;

/**
 * Milliseconds for which an answer is useful. A pre-checkout must be answered within 10 s (Bot
 * API). Callback and inline queries live longer than documented (reports say 15 to 60 s), and
 * Telegram itself refuses late answers. A typing status lasts 5 s.
 */
const usefulMs: Readonly<Record<string, number>> = {
  answercallbackquery: 60_000,
  answerinlinequery: 30_000,
  answerprecheckoutquery: 10_000,
  answershippingquery: 10_000,
  sendchataction: 5_000,
};

/** @throws UnrecordableCallError when the call holds something else than plain data, or is too large. */
export function toCallMessage(
  method: string,
  payload: unknown,
  options: OutgoingOptions,
): NewMessage {
  const fields = toPlainFields(method, payload);
  const chat = fields["chat_id"];
  const lifetimeMs = usefulMs[method.toLowerCase()];
  const replaces = editKey(method, fields);
  return {
    type: options.type,
    priority: options.priority,
    payload: { method, payload: fields, ...(options.cid !== undefined && { cid: options.cid }) },
    ...routeCall(method, fields),
    ...(isChatId(chat) && { floodScope: String(chat), floodCost: floodCost(method, fields) }),
    ...(replaces !== undefined && { replaces }),
    ...(lifetimeMs !== undefined && { expiresAtEpochMs: options.receivedAtEpochMs + lifetimeMs }),
  };
}

function routeCall(
  method: string,
  fields: JsonObject,
): { readonly pool: Pool; readonly lane: string } {
  const query = Object.keys(fields).find((name) => name.endsWith("_query_id"));
  if (query) return { pool: "answering", lane: `${query}:${fields[query]}` };
  const chat = fields["chat_id"];
  if (isChatId(chat)) return { pool: "sending", lane: `chat:${chat}` };
  const inline = fields["inline_message_id"];
  if (typeof inline === "string") return { pool: "sending", lane: `inline:${inline}` };
  const user = fields["user_id"];
  if (isChatId(user)) return { pool: "sending", lane: `chat:${user}` };
  return { pool: "sending", lane: `bot:${method.toLowerCase()}` };
}

/**
 * An edit replaces only edits by the same method: each sets one field of the message and its keyboard,
 * and one without a keyboard removes it (the sandbox does so too). So the newer one sets whatever the
 * older one set, and nothing else is left out.
 */
const edits: ReadonlySet<string> = new Set([
  "editmessagecaption",
  "editmessagemedia",
  "editmessagereplymarkup",
  "editmessagetext",
]);

/** Names what an edit sets, within its lane: the lane says which chat or inline message it is in. */
function editKey(method: string, fields: JsonObject): string | undefined {
  const name = method.toLowerCase();
  if (!edits.has(name)) return undefined;
  const { business_connection_id: connection = "", chat_id, message_id = "" } = fields;
  if (chat_id !== undefined && message_id === "") return undefined;
  return `${name}:${connection}:${message_id}`;
}

function isChatId(value: Json | undefined): value is number | string {
  return typeof value === "number" || (typeof value === "string" && value.length > 0);
}

/** An album, a copy or a forward costs one per item; a typing status costs nothing. */
function floodCost(method: string, fields: JsonObject): number {
  if (method.toLowerCase() === "sendchataction") return 0;
  const items = fields["media"] ?? fields["message_ids"];
  const many = Array.isArray(items) && !method.toLowerCase().startsWith("delete");
  return many ? Math.max(1, items.length) : 1;
}

function toPlainFields(method: string, payload: unknown): JsonObject {
  const fields = toPlain(method, "payload", payload ?? {});
  // Most calls are far from it, and need not be written as JSON to know that.
  const length = lengthAtMost(fields) > callLengthMax ? JSON.stringify(fields).length : 0;
  if (length > callLengthMax) {
    throw new UnrecordableCallError(
      `${method}: the call has ${length} characters, at most ${callLengthMax}`,
      { hint: "Send large content as a file: { source: Buffer, stream or path }." },
    );
  }
  return fields as JsonObject;
}

/** An upper limit of a value's length as JSON: an escape has six characters, and no number more than 25. */
function lengthAtMost(value: Json): number {
  if (typeof value === "string") return 6 * value.length + 2;
  if (typeof value !== "object" || value === null) return 25;
  let length = 2;
  for (const [key, inner] of Object.entries(value)) {
    length += 6 * key.length + 4 + lengthAtMost(inner);
  }
  return length;
}

/** Maximum nesting; no call of the Bot API comes near it. */
const depthMax = 32;

function toPlain(method: string, name: string, value: unknown, depth = 0): Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "object" && depth < depthMax) {
    if (Array.isArray(value)) {
      return value.map((item, index) => toPlain(method, `${name}[${index}]`, item, depth + 1));
    }
    if (isPlainObject(value)) {
      const entries: [string, Json][] = [];
      for (const [key, inner] of Object.entries(value)) {
        if (inner === undefined) continue;
        const plain = fileFields.has(key) ? fileReference(inner) : inner;
        entries.push([key, toPlain(method, `${name}.${key}`, plain, depth + 1)]);
      }
      return Object.fromEntries(entries);
    }
  }
  throw new UnrecordableCallError(`${method}: ${name} is ${kindOf(value)} and cannot be stored`, {
    hint: "Pass plain data; a file as { source: Buffer, stream or path }, a URL or a file id.",
  });
}

/** Fields that take a file. Source: Bot API, the fields of type InputFile, and those of InputMedia. */
export const fileFields: ReadonlySet<string> = new Set([
  "animation",
  "audio",
  "certificate",
  "cover",
  "document",
  "media",
  "photo",
  "sticker",
  "thumb",
  "thumbnail",
  "video",
  "video_note",
  "voice",
]);

/** Turns Telegraf's `{ url }`, which the bot would download, into a URL that Telegram downloads. */
function fileReference(value: unknown): unknown {
  const byUrl = typeof value === "object" && value !== null && "url" in value && value.url;
  return typeof byUrl === "string" ? byUrl : value;
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return value.constructor?.name ?? "an object";
}
