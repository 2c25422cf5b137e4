/**
 * Outbox: queues calls for code outside of handlers, and records them in the attempt for code inside.
 *
 * Before the queue can take anything, calls from outside wait for it.
 */
import { isQueryMethod } from "../../core/bot-api.ts";
import { DataRefusedError, NotSentYetError, OutboxFullError } from "../../core/errors.ts";
import type { FileStore } from "../../core/file-store.ts";
import { checkMessageKey, type KeyState, outboxKeyName } from "../../core/keyed-messages.ts";
import type { NewMessage, NewReference, Priority } from "../../core/message.ts";
import { drawFreeReferences } from "../../core/message-reference.ts";
import type { EnqueueResult, Store } from "../../core/store.ts";
import type { Outbox, OutboxOptions } from "../../kit/outbox.ts";
import { instantOf } from "./instants-rules.ts";
import { type CallTerms, toOutgoingMessages, withFiles } from "./outgoing-messages.ts";
import { takeFiles } from "./recorded-files.ts";
import { messagesSent, recordedResult } from "./recorded-result-rules.ts";
import { Recorder, repetition } from "./recorder.ts";

export interface MessageOutboxDeps {
  readonly files: FileStore;
  readonly store: Pick<Store, "read" | "transaction">;
  /** Milliseconds since the epoch that never jump. */
  readonly now: () => number;
}

type Enqueue = (messages: readonly NewMessage[]) => Promise<readonly EnqueueResult[]>;
type Terms = CallTerms & { readonly priority?: Priority };

const keyLengthMax = 200;

export class MessageOutbox implements Outbox {
  readonly #deps: MessageOutboxDeps;
  readonly #opened = Promise.withResolvers<Enqueue>();
  readonly #stopping = new AbortController();
  #draw: (() => number) | undefined;

  constructor(deps: MessageOutboxDeps) {
    this.#deps = deps;
  }

  /** The store is open: calls that have waited are queued. */
  open(enqueue: Enqueue): void {
    this.#opened.resolve(enqueue);
  }

  /** Aborts when the process stops. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Gives up what is being read or asked. */
  stop(): void {
    this.#stopping.abort();
  }

  send: Outbox["send"] = async (chatId, text, extra, options) => {
    const payload = { chat_id: chatId, text, ...extra };
    return (await this.submit("sendMessage", payload, options)) as { readonly message_id: number };
  };

  call: Outbox["call"] = async (method, payload, options) => {
    return (await this.submit(method, payload, options)) as never;
  };

  /** Like `call`, for any method. */
  async submit(method: string, payload: unknown, options: OutboxOptions = {}): Promise<object> {
    checkMethod(method);
    const terms = termsOf(options, this.#deps.now());
    const recorder = Recorder.current;
    return recorder ? recorder.record(method, payload, terms) : this.#queue(method, payload, terms);
  }

  async #queue(
    method: string,
    payload: unknown,
    { priority = "normal", ...terms }: Terms,
  ): Promise<object> {
    const { files, now } = this.#deps;
    const { payload: taken, store } = takeFiles(method, payload, false);
    // What cannot be stored is refused at once, and not when the queue is there.
    if (!store) this.#toMessages(method, taken, priority, terms);
    const enqueue = await this.#opened.promise;
    const names = (await store?.(files, this.signal)) ?? [];
    const { fields, messages } = this.#toMessages(method, taken, priority, terms);
    this.#draw ??= drawFreeReferences(now());
    const draw = this.#draw;
    const references: NewReference[] = Array.from(
      { length: messagesSent(method, fields) },
      (_, position) => ({ id: draw(), position }),
    );
    const [first, ...others] = withFiles(messages, names) as [NewMessage, ...NewMessage[]];
    const [result] = await enqueue([
      references.length > 0 ? { ...first, references } : first,
      ...others,
    ]);
    if (result?.kind === "lane-full") throw new OutboxFullError(method, result.deadLetterId);
    return recordedResult(method, fields, (position) => {
      const reference = references[position];
      if (reference && result?.kind === "queued") return reference.id;
      throw new NotSentYetError(method, "message_id", repetition);
    });
  }

  #toMessages(method: string, payload: unknown, priority: Priority, terms: CallTerms) {
    const receivedAtEpochMs = terms.availableAtEpochMs ?? this.#deps.now();
    return toOutgoingMessages(
      method,
      payload,
      { type: "send", priority, receivedAtEpochMs },
      terms,
    );
  }

  cancel: Outbox["cancel"] = async (key) => {
    const name = nameOf(key);
    const recorder = Recorder.current;
    if (recorder) return recorder.cancel(name);
    await this.#opened.promise;
    return this.#deps.store.transaction(({ messages }) => messages.cancel(name));
  };

  find: Outbox["find"] = async (key): Promise<KeyState> => {
    const name = nameOf(key);
    const found = Recorder.current?.findInStep(name);
    if (found) return found;
    await this.#opened.promise;
    return this.#deps.store.read(({ messages }) => messages.find(name));
  };
}

function checkMethod(method: unknown): void {
  if (typeof method === "string" && /^[a-z]{3,64}$/i.test(method) && !isQueryMethod(method)) return;
  const asks = typeof method === "string" && isQueryMethod(method);
  throw new DataRefusedError(
    "outbox: method",
    "the name of a Bot API method that changes something, such as sendMessage",
    asks ? `${method}, which asks` : typeof method === "string" ? "another text" : typeof method,
    "What asks needs no outbox: await bot.telegram.callApi(…) or ctx.telegram.",
  );
}

function nameOf(key: unknown): string {
  checkMessageKey(key, "outbox: key", keyLengthMax);
  return outboxKeyName(key);
}

const priorityNames: readonly unknown[] = ["high", "normal", "low"];
const policies: readonly unknown[] = ["retry", "drop"];

function termsOf(options: OutboxOptions, nowEpochMs: number): Terms {
  if (typeof options !== "object" || options === null) {
    const mend = 'Write { in: 60_000, key: "…" }, or leave it out.';
    throw new DataRefusedError("outbox: options", "an object", typeof options, mend);
  }
  const { ambiguous, at, broadcast, expires, in: delayMs, key } = options;
  const { priority = broadcast === true ? "low" : undefined } = options;
  if (at !== undefined && delayMs !== undefined) {
    const mend = "Leave one of them out.";
    throw new DataRefusedError("outbox: at", "either at or in", "both", mend);
  }
  const when = at === undefined ? delayMs : at;
  const field = at === undefined ? "in" : "at";
  const due =
    when === undefined
      ? undefined
      : instantOf(`outbox: ${field}`, when, nowEpochMs, field === "in" ? "delay" : "instant");
  const end =
    expires === undefined
      ? undefined
      : instantOf("outbox: expires", expires, nowEpochMs, "instant");
  if (end !== undefined && end <= (due ?? nowEpochMs)) {
    const mend = "It would leave the queue unsent.";
    throw new DataRefusedError("outbox: expires", "an instant after at", "an earlier one", mend);
  }
  oneOf("priority", priority, priorityNames);
  oneOf("ambiguous", ambiguous, policies);
  return {
    ...(due !== undefined && due > nowEpochMs && { availableAtEpochMs: due }),
    ...(end !== undefined && { expiresAtEpochMs: end }),
    ...(ambiguous !== undefined && { ambiguous }),
    ...(broadcast === true && { type: "broadcast" }),
    ...(priority !== undefined && { priority }),
    ...(key !== undefined && { key: { name: nameOf(key), again: "refuse" } }),
  };
}

function oneOf(field: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  const received = typeof value === "string" ? "another text" : typeof value;
  const mend = "Leave it out for the default.";
  throw new DataRefusedError(`outbox: ${field}`, allowed.join(", "), received, mend);
}
