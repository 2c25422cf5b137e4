/**
 * Played Telegram: the sandbox, called in the process by one life of a bot, which may die at a call.
 *
 * Every call is kept with what it means: message ids become the texts of their messages, query ids their
 * numbers, instants their minutes. So calls of two plays can be compared although one was interrupted.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { buffer } from "node:stream/consumers";
import { isQueryMethod } from "../../bot/core/bot-api.ts";
import { parseInstant, systemClock } from "../../bot/core/clock.ts";
import type { FileStore } from "../../bot/core/file-store.ts";
import type { Json, JsonObject } from "../../bot/core/message.ts";
import type { TelegramClient } from "../../bot/enhanced-launcher/sending.ts";
import { extractFiles } from "../../bot/telegram/client/file-parts.ts";
import { readAnswer } from "../../bot/telegram/client/read-answer.ts";
import { Sandbox } from "../../sandbox/sandbox.ts";
import type { Thread } from "../simulation/virtual-time.ts";

/** A call that took effect. */
export interface MadeCall {
  /** What its order is kept with: a chat, or one query. */
  readonly lane: string;
  readonly method: string;
  /** Its fields, comparable between plays. */
  readonly meaning: string;
  /** For people. */
  readonly label: string;
  /** For an edit: what it edits. A newer edit of it may replace one that waits. */
  readonly edits: string | undefined;
  /** Which life made it, from 1. */
  readonly life: number;
  /** Whether a handler made it at once (`ctx.now`), and not the queue after a commit. */
  readonly direct: boolean;
  /** Whether its answer arrived; not if the process died before that. */
  answered: boolean;
}

/** Instants of a play begin here; real ones are far from it. */
export const playEpochMs = parseInstant("2030-01-01T00:00:00Z") ?? 0;
const playLengthMaxMs = 400 * 86_400_000;
const minuteMs = 60_000;

/** Its chat with the bot is where files are kept that people send. */
const uploaderId = 999_999;

/** Is true within the calls that a handler makes at once. */
export const directCalls = new AsyncLocalStorage<boolean>();

export class PlayedTelegram {
  readonly sandbox = new Sandbox({ frozenClock: true, pacing: false, flood: "off", seed: 1 });
  readonly made: MadeCall[] = [];
  readonly #queries = new Map<string, number>();
  readonly #texts = new Map<string, string>();
  /** Calls so far, also those that only ask. */
  calls = 0;

  constructor() {
    this.advanceTo(playEpochMs);
  }

  #apiRoot = "http://unused";

  /** Where the files of the conversation are read from. */
  get apiRoot(): string {
    return this.#apiRoot;
  }

  async listen(): Promise<void> {
    this.#apiRoot = (await this.sandbox.start()).url;
  }

  /** Keeps a text file at Telegram. @returns it as a message has it. */
  async upload(text: string): Promise<Json> {
    const form = new FormData();
    form.append("chat_id", String(uploaderId));
    form.append("document", new Blob([text], { type: "text/plain" }), "file.txt");
    const { control } = this.sandbox;
    control.createUser({ id: uploaderId, firstName: "Uploader", started: true });
    const request = new Response(form);
    const bytes = Buffer.from(await request.arrayBuffer());
    const type = request.headers.get("content-type") ?? "";
    const { body } = await this.sandbox.call("sendDocument", bytes, type);
    const { result } = JSON.parse(body) as { readonly result: { readonly document: JsonObject } };
    return { mime_type: "text/plain", ...result.document };
  }

  advanceTo(epochMs: number): void {
    const { control } = this.sandbox;
    const ms = epochMs - control.describe().nowEpochMs;
    if (ms > 0) control.advanceClock({ ms });
  }

  /**
   * The client of one life.
   *
   * @param onCall Told the number of each call that was executed; true: the process has died before
   *   its answer.
   */
  clientOf(
    thread: Thread,
    files: Pick<FileStore, "open">,
    life: number,
    onCall: (calls: number) => boolean,
  ): TelegramClient {
    return {
      pool: { connected: 1, pending: 0, running: 0, connectionsMax: 1, route: 0 },
      renew: () => {},
      close: async () => {},
      call: async <T>(method: string, payload: JsonObject): Promise<T> => {
        if (thread.dead) return never();
        const described = this.#describe(method, payload, life);
        const { body, status } = await this.#execute(method, payload, files);
        const refused = status >= 300;
        if (!refused && !isQueryMethod(method)) this.made.push(described);
        if (method !== "getUpdates" && method !== "getMe" && onCall(++this.calls)) return never();
        if (thread.dead) return never();
        described.answered = true;
        return readAnswer(method, status, {}, body) as T;
      },
    };
  }

  async #execute(
    method: string,
    payload: JsonObject,
    stored: Pick<FileStore, "open">,
  ): Promise<{ status: number; body: string }> {
    const { fields, files } = extractFiles(payload);
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      form.append(name, typeof value === "string" ? value : JSON.stringify(value));
    }
    for (const { content, field, filename = "file" } of files) {
      const bytes =
        "base64" in content
          ? Buffer.from(content.base64, "base64")
          : await buffer(await stored.open(content.file));
      form.append(field, new Blob([bytes]), filename);
    }
    const request =
      files.length > 0 ? new Response(form) : new Response(JSON.stringify(fields), jsonHeaders);
    const bytes = Buffer.from(await request.arrayBuffer());
    const type = request.headers.get("content-type") ?? "";
    const answer = await this.sandbox.call(method, bytes, type);
    // What the sandbox does not model counts as executed.
    const unknown = answer.status === 501 || answer.description?.includes("method not found");
    return unknown ? { status: 200, body: '{"ok":true,"result":true}' } : answer;
  }

  #describe(method: string, payload: JsonObject, life: number): MadeCall {
    const query = Object.entries(payload).find(([name]) => name.endsWith("_query_id"))?.[1];
    const chatId = payload["chat_id"];
    const lane =
      query === undefined ? `chat ${String(chatId)}` : `query ${this.#queryNumber(query)}`;
    const meaning = JSON.stringify(this.#meaningOf(payload, chatId));
    const { caption, message_id: messageId, text } = payload;
    const shown =
      text ?? caption ?? (messageId === undefined ? "" : this.#textOf(chatId, messageId));
    const direct = directCalls.getStore() === true;
    const target = `${method} ${String(messageId ?? payload["inline_message_id"])}`;
    const edits = method.startsWith("editMessage") ? target : undefined;
    return {
      lane,
      method,
      meaning,
      edits,
      life,
      direct,
      answered: false,
      label: `${method} ${JSON.stringify(shown)}`,
    };
  }

  #meaningOf(value: Json, chatId: Json | undefined, name = ""): Json {
    if (name === "message_id" || name === "reply_to_message_id") return this.#textOf(chatId, value);
    if (name.endsWith("_query_id")) return `query ${this.#queryNumber(value)}`;
    if (typeof value === "number") return comparable(value);
    if (Array.isArray(value)) {
      const inner = name === "message_ids" ? "message_id" : "";
      return value.map((item: Json) => this.#meaningOf(item, chatId, inner));
    }
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([field, inner]) => [
      field,
      this.#meaningOf(inner as Json, chatId, field),
    ]);
    return Object.fromEntries(entries);
  }

  #queryNumber(id: Json): number {
    const key = String(id);
    const number = this.#queries.get(key) ?? this.#queries.size + 1;
    this.#queries.set(key, number);
    return number;
  }

  /** The text that the message had when it was first looked at, so that edits do not change its name. */
  #textOf(chatId: Json | undefined, messageId: Json): string {
    const key = `${String(chatId)} ${String(messageId)}`;
    const text = this.#texts.get(key) ?? this.#lookUp(chatId, messageId);
    this.#texts.set(key, text);
    return text;
  }

  #lookUp(chatId: Json | undefined, messageId: Json): string {
    const { control } = this.sandbox;
    try {
      const messages = control.messages({ chatId: Number(chatId) });
      const found = messages.find(({ message_id }) => message_id === messageId);
      return found ? `the message "${found.text ?? "without text"}"` : "a message that is gone";
    } catch {
      return "a message of another chat";
    }
  }
}

const jsonHeaders = { headers: { "content-type": "application/json" } };

/** Instants of the play, in seconds or milliseconds, as minutes from its begin; others as they are. */
export function comparable(value: number): Json {
  const epochMs = value < playEpochMs / 2 ? value * 1_000 : value;
  const sinceMs = epochMs - playEpochMs;
  return sinceMs >= 0 && sinceMs < playLengthMaxMs
    ? `minute ${Math.floor(sinceMs / minuteMs)}`
    : value;
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

/** Real time passes, for handlers that wait for something real. */
export function realPause(): Promise<void> {
  return systemClock.sleep(2, new AbortController().signal);
}
