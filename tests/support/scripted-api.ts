/** Scripted API: a BotApi whose answers a test scripts, call by call. */
import type { BotApi, CallOptions } from "../../bot/core/bot-api.ts";
import type { JsonObject } from "../../bot/core/message.ts";

export interface SeenCall {
  readonly method: string;
  readonly payload: JsonObject;
  readonly options: CallOptions | undefined;
}

/** Returns a result, throws, or takes its time. */
export type Answer = (call: SeenCall) => unknown;

export class ScriptedApi implements BotApi {
  readonly calls: SeenCall[] = [];
  #answers: Answer[] = [];
  #otherwise: Answer;

  /** @param otherwise Answers the calls after the end of the script. */
  constructor(otherwise: Answer = () => true) {
    this.#otherwise = otherwise;
  }

  /** Sets the next answers, in this order; an `Error` is thrown. */
  script(...answers: readonly unknown[]): void {
    this.#answers.push(...answers.map(toAnswer));
  }

  otherwise(answer: unknown): void {
    this.#otherwise = toAnswer(answer);
  }

  async call<T>(method: string, payload: JsonObject, options?: CallOptions): Promise<T> {
    const call = { method, payload, options };
    this.calls.push(call);
    return (await (this.#answers.shift() ?? this.#otherwise)(call)) as T;
  }
}

function toAnswer(answer: unknown): Answer {
  if (typeof answer === "function") return answer as Answer;
  return () => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

/** Never answers; fails once the call is aborted. */
export function hangUntilAborted(error: Error): Answer {
  return ({ options }) =>
    new Promise((_, reject) => {
      options?.signal?.addEventListener("abort", () => reject(error));
    });
}
