/**
 * Recorded Telegram: the `ctx.telegram` and `ctx.now` that handlers get.
 *
 * All of Telegraf's methods end in `callApi`, so only that is replaced. `ctx.telegram` runs methods
 * that begin with `get` at once and records all others; `ctx.now` runs all at once.
 */
import pRetry from "p-retry";
import { Telegram } from "telegraf";
import { type BackoffOptions, fullJitter } from "../../core/backoff.ts";
import { type BotApi, isQueryMethod } from "../../core/bot-api.ts";
import type { Clock, Random } from "../../core/clock.ts";
import { RateLimitedError, TelegramError } from "../../core/errors.ts";
import type { FileStore } from "../../core/file-store.ts";
import type { Secret } from "../../core/secret.ts";
import { toCallMessage } from "../delivery/call-message.ts";
import { toCallEnd } from "../delivery/delivery-rules.ts";
import type { FloodGate } from "../delivery/flood-gate.ts";
import { type ReferenceStore, resolveReferences } from "../delivery/references.ts";
import type { CallsBySender } from "./calls-by-sender.ts";
import type { MessageOutbox } from "./outbox.ts";
import { takeFiles } from "./recorded-files.ts";
import type { Recorder } from "./recorder.ts";

export interface DirectCallsDeps {
  /** The API behind the breaker. */
  readonly api: BotApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly token: Secret;
  readonly apiRoot: string;
  readonly store: ReferenceStore;
  readonly files: FileStore;
  /**
   * Waits until flood control lets a call to this chat start; the returned function reports its
   * end.
   */
  readonly permit: FloodGate["permit"];
  /** Makes the calls that flood control counts, where another process does. Default: there is none. */
  readonly bySender?: CallsBySender;
}

const attemptsMax = 3;
const backoff: BackoffOptions = { initialMs: 300, maxMs: 3_000 };
/** The longest `retry_after` that a handler waits for, in milliseconds. */
const retryAfterMsMax = 5_000;

/** Makes calls at once, with a few attempts when a repetition is safe. */
export class DirectCalls {
  readonly #deps: DirectCallsDeps;

  constructor(deps: DirectCallsDeps) {
    this.#deps = deps;
  }

  get token(): string {
    return this.#deps.token.reveal();
  }

  get apiRoot(): string {
    return this.#deps.apiRoot;
  }

  /** @throws TelegramError the last attempt's error. */
  async call(method: string, given: unknown, signal: AbortSignal): Promise<unknown> {
    const { payload, store } = takeFiles(method, given, false);
    const files = (await store?.(this.#deps.files, signal)) ?? [];
    return pRetry(() => this.#callOnce(method, payload, files, signal), {
      retries: attemptsMax - 1,
      minTimeout: 0,
      shouldRetry: ({ error }) => !signal.aborted && mayRepeat(method, error),
      onFailedAttempt: async ({ attemptNumber, error, retriesLeft }) => {
        if (retriesLeft === 0 || !mayRepeat(method, error)) return;
        const { clock, random } = this.#deps;
        const waitMs =
          error instanceof RateLimitedError
            ? error.retryAfterMs
            : fullJitter(backoff, attemptNumber, random);
        await clock.sleep(waitMs, signal);
      },
    });
  }

  async #callOnce(
    method: string,
    payload: unknown,
    files: readonly string[],
    signal: AbortSignal,
  ): Promise<unknown> {
    const message = toCallMessage(method, payload, {
      type: "send",
      priority: "normal",
      receivedAtEpochMs: 0,
    });
    const { bySender } = this.#deps;
    if (bySender?.needed && !isQueryMethod(method)) {
      return bySender.call(method, message, files, signal);
    }
    const recorded = message.payload["payload"] as Parameters<BotApi["call"]>[1];
    const fields = await resolveReferences(this.#deps.store, method, recorded);
    if (isQueryMethod(method)) return this.#deps.api.call(method, fields, { signal });
    const { floodScope, floodCost = floodScope === undefined ? 0 : 1 } = message;
    const settled = await this.#deps.permit({ floodScope, floodCost }, signal);
    try {
      const result = await this.#deps.api.call(method, fields, { signal });
      await settled("answered");
      return result;
    } catch (error) {
      await settled(toCallEnd(error));
      throw error;
    }
  }
}

function mayRepeat(method: string, error: unknown): boolean {
  if (!(error instanceof TelegramError) || !error.transient) return false;
  if (error instanceof RateLimitedError) return error.retryAfterMs <= retryAfterMsMax;
  // A query may be repeated; a send that may have been executed must not be repeated here.
  return isQueryMethod(method) || error.effect === "not-sent";
}

/** `ctx.telegram`: records every call that changes something. */
export class RecordedTelegram extends Telegram {
  readonly #recorder: Recorder;
  readonly #direct: DirectCalls;

  constructor(recorder: Recorder, direct: DirectCalls) {
    super(direct.token, { apiRoot: direct.apiRoot, webhookReply: false });
    this.#recorder = recorder;
    this.#direct = direct;
  }

  override async callApi(method: string, payload: unknown): Promise<never> {
    if (isQueryMethod(method)) {
      return (await this.#direct.call(method, payload, this.#recorder.signal)) as never;
    }
    return (await this.#recorder.record(method, payload)) as never;
  }
}

/** `bot.telegram`: calls that change something go to the outbox, all others are made at once. */
export class OutboxTelegram extends Telegram {
  readonly #outbox: MessageOutbox;
  readonly #direct: DirectCalls;
  readonly #signal: AbortSignal;

  /** @param signal Ends what is asked when the process stops. */
  constructor(outbox: MessageOutbox, direct: DirectCalls, signal: AbortSignal) {
    super(direct.token, { apiRoot: direct.apiRoot, webhookReply: false });
    this.#outbox = outbox;
    this.#direct = direct;
    this.#signal = signal;
  }

  override async callApi(method: string, payload: unknown): Promise<never> {
    if (!isQueryMethod(method)) return (await this.#outbox.submit(method, payload)) as never;
    return (await this.#direct.call(method, payload, this.#signal)) as never;
  }
}

/** `ctx.now`: makes every call at once. */
export class ImmediateTelegram extends Telegram {
  readonly #direct: DirectCalls;
  readonly #signal: AbortSignal;

  constructor(direct: DirectCalls, signal: AbortSignal) {
    super(direct.token, { apiRoot: direct.apiRoot, webhookReply: false });
    this.#direct = direct;
    this.#signal = signal;
  }

  override async callApi(method: string, payload: unknown): Promise<never> {
    return (await this.#direct.call(method, payload, this.#signal)) as never;
  }
}
