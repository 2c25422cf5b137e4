/**
 * Bot context: the Telegraf context handlers get, with durability added.
 *
 * `ctx.telegram` (and so `ctx.reply`, `ctx.editMessageText`, …) records what changes something and
 * sends it after the update is committed; what asks (`get…`) runs at once. The `message_id` of a recorded
 * reply can be passed to later calls and kept; nothing else of it can be read
 * (docs/decisions/0016-references-to-messages-to-come.md). Files are read when the call is recorded.
 */
import type { Context, Telegram } from "telegraf";
import type { Instant } from "../core/clock.ts";
import type { Transaction } from "../core/transaction.ts";
import type { ApiFields, ApiMethod, ApiResult } from "./bot-api.ts";

export interface LaterOptions {
  /**
   * Names it in its chat, in 1 to 100 characters: one that waits under the same key is replaced, and
   * `ctx.cancelLater(key)` takes it away. Default: it cannot be cancelled.
   */
  readonly key?: string;
}

export interface BotContext extends Context {
  /**
   * A durable step: runs `work` once per update, however often the handler runs, and gives its
   * stored result back from then on.
   *
   * @param work Domain work on `tx` alone: no network, no timers. Its result must be plain JSON data
   *   of at most 64 KiB. If it throws, nothing of it is kept and the error comes out here.
   * @param step Name of the step, for handlers whose steps are not always called in the same order.
   *   Default: its number in the handler.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, step?: string): Promise<T>;
  /**
   * Any method of the newest Bot API, also one that Telegraf does not know: recorded like `ctx.reply`,
   * or made at once when its name begins with `get`.
   *
   * @throws UnrecordableCallError for a name that cannot be a method, and for fields that cannot be stored.
   */
  call<Method extends ApiMethod>(
    method: Method,
    ...fields: ApiFields<Method>
  ): Promise<ApiResult<Method>>;
  /**
   * Telegram without recording, for a call whose result is needed (`ctx.now.sendMessage`). It may
   * run again when the handler is retried.
   */
  readonly now: Telegram;
  /** When the update was taken in, in milliseconds since the epoch: the same in every attempt. */
  readonly receivedAtEpochMs: number;
  /**
   * Adds a write to the commit that makes this update done: it happens together with the replies, and
   * only if the handler ends well. Writes run in the order in which they were added.
   *
   * @param write Work on `tx` alone, without calls to Telegram. It runs again when the disk was full;
   *   if it throws, nothing of the update is kept and the attempt has failed.
   */
  onDone(write: (tx: Transaction) => Promise<void>): void;
  /**
   * Runs the handler that was registered with `kit.later` under this name, for the same chat and person,
   * at a later time. It is queued with the replies.
   *
   * @param when Milliseconds from now, 0 to 10 years; or an instant.
   * @param data Plain JSON data of at most 64 KiB. Default `null`.
   * @throws {DataRefusedError} for a name that no handler has, and for what is not as described.
   */
  later(when: number | Instant, name: string, data?: unknown, options?: LaterOptions): void;
  /**
   * Takes away what waits in this chat under this key; a durable step, like `transaction`.
   *
   * @returns whether anything waited.
   */
  cancelLater(key: string): Promise<boolean>;
  /**
   * Says in which language the module's `lastWords` are, should this update be given up. Default: the one that
   * Telegram reports, also when the process dies again and again while the update is handled.
   */
  lastWordsIn(languageCode: string): void;
}
