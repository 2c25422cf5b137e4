/** Measured API: a BotApi that reports for each call whether the connection worked. */
import type { BotApi, CallOptions } from "../../core/bot-api.ts";
import type { Clock } from "../../core/clock.ts";
import { TelegramError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/message.ts";

export interface MeasuredApiDeps {
  readonly api: BotApi;
  readonly clock: Clock;
  /**
   * Called for every answer; `durationMs` is `undefined` when the wait was intended (a long poll).
   */
  readonly onAnswer: (durationMs: number | undefined) => void;
  /** Called when no readable answer came. */
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
      // A refusal is an answer. An aborted call says nothing about the connection.
      if (error instanceof TelegramError && !options?.signal?.aborted) {
        if (error.effect === "refused") answered();
        else onFailure(error);
      }
      throw error;
    }
  }
}
