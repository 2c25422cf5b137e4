/**
 * Simulated network: one process's client for the simulated Telegram.
 *
 * The weather decides whether calls are delayed, refused, swallowed, cut or answered by a proxy. Answers
 * go through the real `readAnswer`, so that the bot sees its own errors. A call that was given up is not
 * executed any more; a call in flight when its process dies may still be, for a moment.
 */

import type { CallOptions } from "../../bot/core/bot-api.ts";
import type { Random } from "../../bot/core/clock.ts";
import { CallNotSentError, CallUnknownError, type TelegramError } from "../../bot/core/errors.ts";
import type { JsonObject } from "../../bot/core/message.ts";
import type { TelegramClient } from "../../bot/enhanced-launcher/sending.ts";
import { readAnswer } from "../../bot/telegram/client/read-answer.ts";
import {
  failure,
  type SimulatedAnswer,
  type SimulatedTelegram,
  tooManyRequests,
} from "./simulated-telegram.ts";
import type { Thread, VirtualTime } from "./virtual-time.ts";
import { retryAfterSecondsMax, type Weather } from "./weather.ts";

export interface SimulatedNetworkDeps {
  readonly time: VirtualTime;
  readonly thread: Thread;
  readonly telegram: SimulatedTelegram;
  readonly weather: Weather;
  readonly random: Random;
  readonly deadlineMs: number;
  /** Called when Telegram has executed a call. */
  readonly onExecuted: () => void;
  readonly onAnswer: OnAnswer;
}

/** Called when the process has read the answer to a call: its result or its error. */
export type OnAnswer = (
  method: string,
  payload: JsonObject,
  answer: { readonly result: unknown } | { readonly error: TelegramError },
) => void;

/**
 * Milliseconds for which a dead process's requests may still reach Telegram from a socket or a proxy.
 * This is just below the time that flood control allows for (bot/telegram/delivery/flood-rules.ts).
 */
const lateMs = 900;

export class SimulatedNetwork implements TelegramClient {
  readonly #deps: SimulatedNetworkDeps;
  readonly pool = { connected: 1, pending: 0, running: 0, connectionsMax: 1, route: 0 };
  #closed = false;
  /** The connection is lost silently: the open poll is never answered. */
  #pollsLost = 0;
  #diedAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: SimulatedNetworkDeps) {
    this.#deps = deps;
  }

  renew(): void {}

  async close(): Promise<void> {
    this.#closed = true;
  }

  loseIdlePoll(): void {
    this.#pollsLost++;
  }

  died(): void {
    this.#diedAtMs = this.#deps.time.nowMs;
  }

  call<T>(method: string, payload: JsonObject, options: CallOptions = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { onAnswer, thread } = this.#deps;
      const { deadlineMs = this.#deps.deadlineMs, signal } = options;
      const request = { over: false };
      const settle = (end: () => void) => {
        if (request.over) return;
        request.over = true;
        callOff();
        signal?.removeEventListener("abort", abort);
        end();
      };
      const fail = (error: TelegramError) => settle(() => reject(error));
      const abort = () => fail(new CallUnknownError(`${method}: given up`));
      const callOff = thread.after(deadlineMs, () =>
        fail(new CallUnknownError(`${method}: no complete answer within ${deadlineMs} ms`)),
      );
      signal?.addEventListener("abort", abort);
      if (signal?.aborted || this.#closed) {
        abort();
        return;
      }
      this.#exchange(method, payload, request, {
        fail,
        answer: ({ status, text }) =>
          settle(() => {
            try {
              const result = readAnswer(method, status, {}, text) as T;
              onAnswer(method, payload, { result });
              resolve(result);
            } catch (error) {
              onAnswer(method, payload, { error: error as TelegramError });
              reject(error);
            }
          }),
      });
    });
  }

  #exchange(
    method: string,
    payload: JsonObject,
    request: { readonly over: boolean },
    end: {
      readonly answer: (answer: SimulatedAnswer) => void;
      readonly fail: (error: TelegramError) => void;
    },
  ): void {
    const { random, telegram, thread, weather } = this.#deps;
    const trouble = weather.strikesCall(method);
    const later = (run: () => void) => thread.after(weather.latencyMs(), run);
    const lost = this.#pollsLost;
    const back = (answer: SimulatedAnswer) => {
      if (method === "getUpdates" && lost < this.#pollsLost) return;
      later(() => end.answer(answer));
    };
    const broken = () =>
      later(() => end.fail(new CallUnknownError(`${method}: the connection broke (ECONNRESET)`)));
    const execute = (then: (answer: SimulatedAnswer) => void) =>
      this.#arrive(method, payload, request, then);
    switch (trouble) {
      case undefined:
      case "slow":
      case "disk-full":
      case "disk-slow":
        execute(back);
        return;
      case "unreachable":
        later(() => end.fail(new CallNotSentError(`${method}: no connection (ECONNREFUSED)`)));
        return;
      case "half-open":
        // No answer comes back, and only half of the calls arrive.
        if (random() < 0.5) execute(() => {});
        return;
      case "cut":
        execute(broken);
        return;
      case "server-errors": {
        const answer = pickServerError(random);
        if (random() < 0.5) execute(() => back(answer));
        else back(answer);
        return;
      }
      case "rate-limits": {
        const seconds = 1 + Math.floor(random() * 8);
        back(tooManyRequests(seconds));
        return;
      }
      case "chats-limited":
        telegram.limitChat(payload, 1 + Math.floor(random() * retryAfterSecondsMax));
        execute(back);
        return;
      case "token-refused":
        back(failure(401, "Unauthorized"));
        return;
      case "other-poller":
        back(failure(409, "Conflict: terminated by other getUpdates request"));
        return;
    }
  }

  /** Delivers the request to Telegram, unless it was given up or its process died too long ago. */
  #arrive(
    method: string,
    payload: JsonObject,
    request: { readonly over: boolean },
    then: (answer: SimulatedAnswer) => void,
  ): void {
    const { onExecuted, random, telegram, thread, time, weather } = this.#deps;
    const arrive = () => {
      if (request.over || time.nowMs > this.#diedAtMs + lateMs) return;
      telegram.receive(method, payload, then);
      if (!thread.dead && method !== "getUpdates") onExecuted();
    };
    time.at(thread.monotonicMs() + weather.latencyMs(), () => {
      if (thread.dead && random() < 0.5) time.at(this.#diedAtMs + random() * lateMs, arrive);
      else arrive();
    });
  }
}

function pickServerError(random: Random): SimulatedAnswer {
  const status = random() < 0.5 ? 502 : 500;
  return random() < 0.5
    ? failure(status, "Internal Server Error")
    : { status, text: "<html><body><h1>Bad Gateway</h1></body></html>" };
}
