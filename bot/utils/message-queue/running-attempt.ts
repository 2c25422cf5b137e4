/** Running attempt: one run of a handler, with its time limit and what it can still do when that is over. */
import { Ending } from "../../core/ending.ts";
import type { Message } from "../../core/message.ts";
import type { Attempt, HandlerResult, MessageHandler } from "../../core/message-handler.ts";
import type { Transaction } from "../../core/transaction.ts";
import type { WatchedAttempt } from "./attempt-watch.ts";
import type { Slot } from "./slot.ts";

/** The queue, as an attempt needs it. */
export interface AttemptHost {
  step(message: Message, ...given: Parameters<Attempt["step"]>): Promise<unknown>;
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Called when an attempt has become slow. */
  slow(message: Message): void;
  /** Gives the error with which an attempt fails that takes too long. */
  late(): Error;
  /** Called once, when it is over. */
  ended(attempt: RunningAttempt): void;
}

export class RunningAttempt implements Attempt, WatchedAttempt {
  readonly message: Message;
  readonly #slot: Slot;
  readonly #host: AttemptHost;
  readonly ending = new Ending();
  readonly #result = Promise.withResolvers<HandlerResult>();

  constructor(message: Message, slot: Slot, host: AttemptHost) {
    this.message = message;
    this.#slot = slot;
    this.#host = host;
  }

  step(...given: Parameters<Attempt["step"]>): Promise<unknown> {
    return this.#slot.whileWaiting(() => this.#host.step(this.message, ...given));
  }

  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#slot.whileWaiting(() => this.#host.read(work));
  }

  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /** Resolves with the handler's result, or rejects with what it throws or because it is late. */
  run(handler: MessageHandler): Promise<HandlerResult> {
    const { promise, reject, resolve } = this.#result;
    const fail = (error: unknown) => {
      reject(error);
      this.#end();
    };
    try {
      handler.handle(this).then((result) => {
        resolve(result);
        this.#end();
      }, fail);
    } catch (error) {
      fail(error);
    }
    return promise;
  }

  onSlow(): void {
    this.#host.slow(this.message);
    this.#slot.lend();
  }

  onLate(): void {
    this.#result.reject(this.#host.late());
    this.#end();
  }

  /** Gives the attempt up: somebody else ends it, so its result does not count. */
  release(): void {
    this.#result.resolve({ kind: "done" });
    this.#end();
  }

  /** Ends whatever the handler has left running. */
  #end(): void {
    if (this.ending.aborted) return;
    this.ending.end();
    this.#host.ended(this);
  }
}
