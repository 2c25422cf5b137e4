/**
 * Recorder: what one attempt at an update wants sent, and its durable steps.
 *
 * A call made inside `ctx.transaction` commits with that step; every other one commits with the
 * update's completion. Which is which follows the asynchronous context, so it stays right when an
 * author runs a transaction and a reply side by side.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { AttemptOverError } from "../../core/errors.ts";
import type { NewMessage } from "../../core/message.ts";
import type { Attempt } from "../../core/message-handler.ts";
import type { Transaction } from "../../core/transaction.ts";
import { toOutgoingMessage } from "../delivery/call-message.ts";
import { cidOf } from "./correlation.ts";

const stepScope = new AsyncLocalStorage<NewMessage[]>();

export class Recorder {
  readonly #attempt: Attempt;
  readonly #messages: NewMessage[] = [];
  #steps = 0;
  #over = false;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  get receivedAtEpochMs(): number {
    return this.#attempt.message.createdAtEpochMs;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** Notes a call to be sent after the commit. @throws UnrecordableCallError, AttemptOverError. */
  record(method: string, payload: unknown): void {
    if (this.#over || this.#attempt.signal.aborted) {
      throw new AttemptOverError(`${method}: the handler of this update has already ended`);
    }
    const message = toOutgoingMessage(method, payload, {
      type: "send",
      priority: this.#attempt.message.priority,
      receivedAtEpochMs: this.receivedAtEpochMs,
      cid: cidOf(this.#attempt.message),
    });
    (stepScope.getStore() ?? this.#messages).push(message);
  }

  /** Runs `work` once per update; see `BotContext.transaction`. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, step?: string): Promise<T> {
    const name = step ?? `#${this.#steps++}`;
    const messages: NewMessage[] = [];
    const scoped = (tx: Transaction) => stepScope.run(messages, () => work(tx));
    return this.#attempt.step(name, scoped, () => messages) as Promise<T>;
  }

  /** The handler has ended. @returns what it wants sent. */
  finish(): readonly NewMessage[] {
    this.#over = true;
    return this.#messages;
  }
}
