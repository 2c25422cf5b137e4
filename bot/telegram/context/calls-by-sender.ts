/**
 * Calls by the sender: makes a call at once, through the process that sends.
 *
 * Telegram's limits hold for all processes of a bot together, so only the one with the windows may make
 * the calls that count. The call is queued in a lane of its own, before everything that is not urgent.
 */
import { randomUUID } from "node:crypto";
import { type Clock, steadyEpoch } from "../../core/clock.ts";
import { CallNotSentError, CallUnknownError, type TelegramError } from "../../core/errors.ts";
import type { NewMessage } from "../../core/message.ts";
import type { Store } from "../../core/store.ts";
import { resultOf, takeAnswer } from "../delivery/asked-answer.ts";

export interface CallsBySenderDeps {
  readonly clock: Clock;
  readonly store: Pick<Store, "enqueue" | "shared" | "transaction">;
}

/** Milliseconds after which nobody waits for the call any more. */
const usefulMs = 60_000;
/** The wait between two looks for the answer grows from one to the other. */
const lookMs = { first: 10, max: 250 };

export class CallsBySender {
  readonly #deps: CallsBySenderDeps;
  readonly #now: () => number;

  constructor(deps: CallsBySenderDeps) {
    this.#deps = deps;
    this.#now = steadyEpoch(deps.clock);
  }

  /** Whether another process makes the calls that flood control counts. */
  get needed(): boolean {
    return this.#deps.store.shared?.roles.has("sending") === false;
  }

  /**
   * @param files Names of stored files that the call uploads.
   * @throws {TelegramError} as the call does; `CallUnknownError` when nobody knows what became of it.
   */
  async call(
    method: string,
    message: NewMessage,
    files: readonly string[],
    signal: AbortSignal,
  ): Promise<unknown> {
    const askedBy = randomUUID();
    const key = `kit:now:${askedBy}`;
    await this.#deps.store.enqueue([
      {
        ...message,
        ...{ lane: `now:${askedBy}`, priority: "high", ambiguous: "drop" },
        payload: { ...message.payload, askedBy },
        key: { name: key, again: "refuse" },
        expiresAtEpochMs: this.#now() + usefulMs,
        ...(files.length > 0 && { files }),
      },
    ]);
    for (let waitMs = lookMs.first; !signal.aborted; waitMs = Math.min(2 * waitMs, lookMs.max)) {
      await this.#deps.clock.sleep(waitMs, signal);
      const found = await this.#look(askedBy, key);
      if (found.answer) return resultOf(method, found.answer);
      if (found.error) throw found.error(method);
    }
    const cancelled = await this.#deps.store.transaction(({ messages }) => messages.cancel(key));
    throw cancelled
      ? new CallNotSentError(`${method}: given up while it waited for the process that sends`)
      : unknown(method);
  }

  #look(askedBy: string, key: string) {
    return this.#deps.store.transaction(async ({ documents, messages }) => {
      const answer = await takeAnswer(documents, askedBy);
      if (answer) return { answer };
      const { kind } = await messages.find(key);
      if (kind === "dead") return { error: unknown };
      // It has left the queue without an answer only if it was too late.
      return kind === "unknown" ? { error: expired } : {};
    });
  }
}

function unknown(method: string): TelegramError {
  return new CallUnknownError(`${method}: the process that sends has not told what became of it`);
}

function expired(method: string): TelegramError {
  return new CallNotSentError(`${method}: it was not sent within ${usefulMs / 1000} s`);
}
