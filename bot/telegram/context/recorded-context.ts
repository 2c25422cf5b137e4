/**
 * Recorded context: creates the Telegraf context type whose calls are recorded.
 *
 * Telegraf makes the context from the update object alone, so that object leads to the attempt's
 * recorder.
 */
import { Context } from "telegraf";
import type { Instant } from "../../core/clock.ts";
import { DataRefusedError, UnrecordableCallError } from "../../core/errors.ts";
import { checkMessageKey } from "../../core/keyed-messages.ts";
import type { Json, JsonObject } from "../../core/message.ts";
import { toPlainText } from "../../core/plain-data.ts";
import type { Transaction } from "../../core/transaction.ts";
import type { ApiFields, ApiMethod, ApiResult } from "../../kit/bot-api.ts";
import type { BotContext, LaterOptions } from "../../kit/bot-context.ts";
import { laterOf } from "../../kit/later.ts";
import { miniAppTaskOf } from "../../kit/mini-app.ts";
import { instantOf } from "./instants-rules.ts";
import { type DirectCalls, ImmediateTelegram, RecordedTelegram } from "./recorded-telegram.ts";
import type { Recorder } from "./recorder.ts";

const laterKeyLengthMax = 100;
const laterBytesMax = 65_536;

/** The recorders of the updates that are being handled, by update object. */
export type Recorders = WeakMap<object, Recorder>;

export interface ContextDeps {
  /** The names that `later` may call. */
  readonly names: ReadonlySet<string>;
  /** Milliseconds since the epoch that never jump. */
  readonly now: () => number;
}

/** @returns the class to give to Telegraf as `contextType`. */
export function createContextType(
  recorders: Recorders,
  direct: DirectCalls,
  { names, now }: ContextDeps,
) {
  return class RecordedContext extends Context implements BotContext {
    readonly #recorder: Recorder;
    /** Made when it is asked for, as few handlers use it. */
    #now: ImmediateTelegram | undefined;

    constructor(...[update, , botInfo]: ConstructorParameters<typeof Context>) {
      const recorder = recorders.get(update);
      if (!recorder) throw new Error("this update is not being handled by an attempt");
      super(update, new RecordedTelegram(recorder, direct), botInfo);
      this.#recorder = recorder;
      const task = laterOf(update) ?? miniAppTaskOf(update);
      if (!task) return;
      // Telegraf finds them in kinds of updates that it knows.
      Object.defineProperty(this, "chat", { value: task.chat });
      Object.defineProperty(this, "from", { value: task.from });
    }

    get now(): ImmediateTelegram {
      this.#now ??= new ImmediateTelegram(direct, this.#recorder.signal);
      return this.#now;
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

    later(when: number | Instant, name: string, data: unknown = null, { key }: LaterOptions = {}) {
      if (!names.has(name)) throw unknownName(name, names);
      const meaning = typeof when === "number" ? "delay" : "instant";
      const atEpochMs = instantOf("later: when", when, now(), meaning);
      if (key !== undefined) checkMessageKey(key, "later: key", laterKeyLengthMax);
      const text = toPlainText(data, `later: ${name}`, laterBytesMax);
      const { chat, from } = this;
      const about = { ...(chat && { chat }), ...(from && { from }) } as unknown as JsonObject;
      const task = { name, data: JSON.parse(text) as Json, ...about };
      this.#recorder.later(task, atEpochMs, key);
    }

    async cancelLater(key: string): Promise<boolean> {
      checkMessageKey(key, "later: key", laterKeyLengthMax);
      return this.#recorder.cancelLater(key);
    }

    lastWordsIn(languageCode: string): void {
      this.#recorder.languageCode = languageCode;
    }
  };
}

function unknownName(name: unknown, names: ReadonlySet<string>): DataRefusedError {
  return new DataRefusedError(
    "later: name",
    [...names].join(", ") || "the name of a handler",
    typeof name === "string" ? "another text" : `a ${typeof name}`,
    "Register the handler: bot.use(kit.later(name, async (ctx, data) => { … })).",
  );
}
