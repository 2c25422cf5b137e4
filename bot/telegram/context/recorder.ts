/**
 * Recorder: collects the calls that one attempt at an update wants sent, and runs its durable
 * steps.
 *
 * A call made inside `ctx.transaction` commits with that step; every other call commits with the
 * update's completion. The asynchronous context decides which applies, so this also holds when an
 * author runs a transaction and a reply concurrently.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { AttemptOverError } from "../../core/errors.ts";
import type { NewMessage } from "../../core/message.ts";
import type { Attempt } from "../../core/message-handler.ts";
import type { Transaction } from "../../core/transaction.ts";
import { type OutgoingOptions, toCallMessage } from "../delivery/call-message.ts";
import { cidOf } from "./correlation.ts";
import { type PlainCall, splitCall } from "./split-call-rules.ts";

const stepScope = new AsyncLocalStorage<NewMessage[]>();

type Write = (tx: Transaction) => Promise<void>;

export class Recorder {
  /** `undefined` once they were taken. */
  #writes: Write[] | undefined = [];
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

  /** Adds to what is written when the update is done; see `BotContext.onDone`. */
  onDone(write: Write): void {
    if (!this.#writes || this.#attempt.signal.aborted) {
      throw new AttemptOverError("onDone: the handler of this update has already ended");
    }
    this.#writes.push(write);
  }

  /** Takes what was added by `onDone`; nothing can be added any more. */
  takeWrite(): Write | undefined {
    const writes = this.#writes ?? [];
    this.#writes = undefined;
    if (writes.length === 0) return undefined;
    return async (tx) => {
      for (const write of writes) await write(tx);
    };
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /**
   * Records a call to be sent after the commit; as several, when its text is too long for one.
   *
   * @throws UnrecordableCallError, AttemptOverError.
   */
  record(method: string, payload: unknown): void {
    if (this.#over || this.#attempt.signal.aborted) {
      throw new AttemptOverError(`${method}: the handler of this update has already ended`);
    }
    const options: OutgoingOptions = {
      type: "send",
      priority: this.#attempt.message.priority,
      receivedAtEpochMs: this.receivedAtEpochMs,
      cid: cidOf(this.#attempt.message),
    };
    const whole = toCallMessage(method, payload, options);
    const parts = splitCall(whole.payload as unknown as PlainCall);
    const messages =
      parts.length > 1
        ? parts.map((part) => toCallMessage(part.method, part.payload, options))
        : [whole];
    (stepScope.getStore() ?? this.#messages).push(...messages);
  }

  /** Runs `work` once per update; see `BotContext.transaction`. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, step?: string): Promise<T> {
    const name = step ?? `#${this.#steps++}`;
    const messages: NewMessage[] = [];
    const scoped = (tx: Transaction) => stepScope.run(messages, () => work(tx));
    return this.#attempt.step(name, scoped, () => messages) as Promise<T>;
  }

  /** Ends the recording. @returns the calls that the handler wants sent. */
  finish(): readonly NewMessage[] {
    this.#over = true;
    return this.#messages;
  }
}
