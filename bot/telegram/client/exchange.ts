/**
 * Exchange: one HTTP request and its whole answer, over undici's lowest interface.
 *
 * `request()` makes a stream of each answer, which takes as much processor time as the rest of a call
 * (measured); a Bot API answer is small, so its chunks are simply kept until it is complete.
 */
import type { Dispatcher } from "undici";
import type { EndSignal } from "../../core/ending.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const givenUp = new Error("given up");

/**
 * Makes a request. Rejects with undici's error, or when it is over before; its connection is closed
 * then.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  ending: EndSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const handler = new Exchange(resolve, reject, ending);
    if (ending.aborted) handler.giveUp();
    else dispatcher.dispatch(request, handler);
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #ending: EndSignal;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Answer["headers"] = {};

  constructor(
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
    ending: EndSignal,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#ending = ending;
    ending.addEventListener("abort", this.giveUp);
  }

  readonly giveUp = (): void => {
    this.#controller?.abort(givenUp);
    this.#reject(givenUp);
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It was given up while it waited for a connection.
    if (this.#ending.aborted) controller.abort(givenUp);
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Answer["headers"],
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#ending.removeEventListener("abort", this.giveUp);
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    const text = whole?.toString() ?? "";
    this.#resolve({ status: this.#status, headers: this.#headers, text });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#ending.removeEventListener("abort", this.giveUp);
    this.#reject(error);
  }
}
