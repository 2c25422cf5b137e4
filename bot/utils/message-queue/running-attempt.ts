/** Running attempt: one run of a handler, with its time limit and what it can still do when that is over. */
import { waitOver } from "../../core/clock.ts";
import type { Message } from "../../core/message.ts";
import type { Attempt, HandlerResult, MessageHandler } from "../../core/message-handler.ts";
import type { WatchedAttempt } from "./attempt-watch.ts";

export interface RunningAttemptDeps {
  readonly message: Message;
  readonly step: Attempt["step"];
  readonly read: Attempt["read"];
  readonly onSlow: () => void;
  /** Gives the error with which an attempt fails that takes too long. */
  readonly late: () => Error;
}

export class RunningAttempt implements Attempt, WatchedAttempt {
  readonly #deps: RunningAttemptDeps;
  /** Made when it is asked for: most attempts are over before anything listens. */
  #controller: AbortController | undefined;
  #settle: { readonly resolve: (r: HandlerResult) => void; readonly reject: (e: unknown) => void };
  readonly #result: Promise<HandlerResult>;
  #over = false;

  constructor(deps: RunningAttemptDeps) {
    this.#deps = deps;
    const { promise, reject, resolve } = Promise.withResolvers<HandlerResult>();
    this.#result = promise;
    this.#settle = { reject, resolve };
  }

  get message(): Message {
    return this.#deps.message;
  }

  get step(): Attempt["step"] {
    return this.#deps.step;
  }

  get read(): Attempt["read"] {
    return this.#deps.read;
  }

  get over(): boolean {
    return this.#over;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort(waitOver);
    return this.#controller.signal;
  }

  /** Resolves with the handler's result, or rejects with what it throws or because it is late. */
  run(handler: MessageHandler): Promise<HandlerResult> {
    handler.handle(this).then(this.#settle.resolve, this.#settle.reject);
    return this.#result;
  }

  onSlow(): void {
    this.#deps.onSlow();
  }

  onLate(): void {
    this.#settle.reject(this.#deps.late());
    this.end();
  }

  /** Gives the attempt up: somebody else ends it, so its result does not count. */
  release(): void {
    this.#settle.resolve({ kind: "done" });
    this.end();
  }

  /** Ends whatever the handler has left running. */
  end(): void {
    this.#over = true;
    this.#controller?.abort(waitOver);
  }
}
