/**
 * Recorded context: creates the Telegraf context type whose calls are recorded.
 *
 * Telegraf makes the context from the update object alone, so that object leads to the attempt's
 * recorder.
 */
import { Context } from "telegraf";
import { UnrecordableCallError } from "../../core/errors.ts";
import type { Transaction } from "../../core/transaction.ts";
import type { ApiFields, ApiMethod, ApiResult } from "../../kit/bot-api.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import { type DirectCalls, ImmediateTelegram, RecordedTelegram } from "./recorded-telegram.ts";
import type { Recorder } from "./recorder.ts";

/** The recorders of the updates that are being handled, by update object. */
export type Recorders = WeakMap<object, Recorder>;

/** @returns the class to give to Telegraf as `contextType`. */
export function createContextType(recorders: Recorders, direct: DirectCalls) {
  return class RecordedContext extends Context implements BotContext {
    readonly now: ImmediateTelegram;
    readonly #recorder: Recorder;

    constructor(...[update, , botInfo]: ConstructorParameters<typeof Context>) {
      const recorder = recorders.get(update);
      if (!recorder) throw new Error("this update is not being handled by an attempt");
      super(update, new RecordedTelegram(recorder, direct), botInfo);
      this.#recorder = recorder;
      this.now = new ImmediateTelegram(direct, recorder.signal);
    }

    get receivedAtEpochMs(): number {
      return this.#recorder.receivedAtEpochMs;
    }

    async call<Method extends ApiMethod>(
      method: Method,
      ...[fields]: ApiFields<Method>
    ): Promise<ApiResult<Method>> {
      if (typeof method !== "string" || !/^[a-z]{3,64}$/i.test(method)) {
        throw new UnrecordableCallError(
          `ctx.call: expected the name of a Bot API method, such as "sendMessage", as its first argument`,
        );
      }
      return (await this.telegram.callApi(
        method as "sendMessage",
        (fields ?? {}) as never,
      )) as never;
    }

    transaction<T>(work: (tx: Transaction) => Promise<T>, step?: string): Promise<T> {
      return this.#recorder.transaction(work, step);
    }

    onDone(write: (tx: Transaction) => Promise<void>): void {
      this.#recorder.onDone(write);
    }
  };
}
