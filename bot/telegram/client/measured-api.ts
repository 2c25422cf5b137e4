/** Measured API: a BotApi that tells how its calls went, as far as the connection is concerned. */
import type { BotApi, CallOptions } from "../../core/bot-api.ts";
import type { Clock } from "../../core/clock.ts";
import { TelegramError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/message.ts";

export interface MeasuredApiDeps {
  readonly api: BotApi;
  readonly clock: Clock;
  /** An answer came; `durationMs` is missing where waiting was wanted (a long poll). */
  readonly onAnswer: (durationMs: number | undefined) => void;
  /** No answer came, or none that can be read. */
  readonly onFailure: (error: TelegramError) => void;
}

export class MeasuredApi implements BotApi {
  readonly #deps: MeasuredApiDeps;

  constructor(deps: MeasuredApiDeps) {
    this.#deps = deps;
  }

  async call<T>(method: string, payload: JsonObject, options?: CallOptions): Promise<T> {
    const { api, clock, onAnswer, onFailure } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    const waits = Number(payload["timeout"] ?? 0) > 0;
    const answered = () => onAnswer(waits ? undefined : clock.monotonicMs() - startedAtMs);
    try {
      const result = await api.call<T>(method, payload, options);
      answered();
      return result;
    } catch (error) {
      // A refusal is an answer. What was called off says nothing about the connection.
      if (error instanceof TelegramError && !options?.signal?.aborted) {
        if (error.effect === "refused") answered();
        else onFailure(error);
      }
      throw error;
    }
  }
}
