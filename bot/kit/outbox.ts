/**
 * Outbox: calls to Telegram from anywhere, durable like those of a handler.
 *
 * Inside a handler a call is part of the attempt's commit. Elsewhere (a timer, an HTTP handler) it
 * resolves when it is on disk. Order, flood control, splitting and holds are those of replies.
 */
import type { Context } from "telegraf";
import type { Instant } from "../core/clock.ts";
import type { KeyState } from "../core/keyed-messages.ts";
import type { AmbiguousPolicy, Priority } from "../core/message.ts";
import type { ApiFields, ApiMethod, ApiResult } from "./bot-api.ts";

export interface OutboxOptions {
  /**
   * Not before this instant; milliseconds since the epoch or a Date, at most 10 years ahead. One that has
   * passed means at once.
   */
  readonly at?: number | Instant;
  /** Not before so many milliseconds have passed; 0 to 10 years. Not together with `at`. */
  readonly in?: number;
  /**
   * 1 to 200 characters, in plain text on disk. It is sent once, however often it is asked for, while it waits,
   * while it is a dead letter, and for a day at least after it was sent.
   */
  readonly key?: string;
  /**
   * It answers nobody's request: it is not tried in a chat that is known to be gone, and its priority is
   * `low` unless `priority` says otherwise. Default false.
   */
  readonly broadcast?: boolean;
  /** Default: that of the update in a handler, otherwise `normal`. */
  readonly priority?: Priority;
  /** Not after this instant: then it leaves the queue unsent. Default: as for replies. */
  readonly expires?: number | Instant;
  /** The policy for a call of which nothing tells whether it was sent. Default `retry`. */
  readonly ambiguous?: AmbiguousPolicy;
}

/** A message to come: its id may be passed to later calls, and kept. Nothing else of it can be read. */
export interface SentMessage {
  /** For a request that `key` has made a repetition, reading it throws `NotSentYetError`. */
  readonly message_id: number;
}

export interface Outbox {
  /**
   * Sends a text.
   *
   * @throws {DataRefusedError} for options that are wrong. {UnrecordableCallError} for a call that cannot be
   *   stored, such as one over 1 MiB. {AttemptOverError} when the handler it belongs to has ended.
   */
  send(
    chatId: number | string,
    text: string,
    extra?: Parameters<Context["reply"]>[1],
    options?: OutboxOptions,
  ): Promise<SentMessage>;
  /** Makes any call that changes something. Rejects like `send`. */
  call<Method extends ApiMethod>(
    method: Method,
    payload: ApiFields<Method>[0],
    options?: OutboxOptions,
  ): Promise<ApiResult<Method>>;
  /**
   * Takes away what waits under this key; in a handler a durable step.
   *
   * @returns whether anything waited.
   */
  cancel(key: string): Promise<boolean>;
  /** The state of the call with this key, and since when. */
  find(key: string): Promise<KeyState>;
}
