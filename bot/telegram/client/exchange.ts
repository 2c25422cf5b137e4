/**
 * Exchange: one HTTP request and its whole answer, over undici's lowest interface.
 *
 * `request()` makes a stream of each answer, which takes as much processor time as the rest of a call
 * (measured); a Bot API answer is small, so its chunks are simply kept until it is complete.
 */
import type { Dispatcher } from "undici";
import type { Deadline } from "../../core/deadline.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const givenUp = new Error("given up");

/**
 * Makes a request. Rejects with undici's error, or when its deadline is over; its connection is closed
 * then.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  deadline: Deadline,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const handler = new Exchange(resolve, reject, deadline);
    if (deadline.isOver) handler.giveUp();
    else dispatcher.dispatch(request, handler);
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #deadline: Deadline;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Answer["headers"] = {};

  constructor(
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
    deadline: Deadline,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = deadline;
    deadline.whenOver(() => this.giveUp());
  }

  giveUp(): void {
    this.#controller?.abort(givenUp);
    this.#reject(givenUp);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It was given up while it waited for a connection.
    if (this.#deadline.isOver) controller.abort(givenUp);
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
    this.#deadline.whenOver(undefined);
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    const text = whole?.toString() ?? "";
    this.#resolve({ status: this.#status, headers: this.#headers, text });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#deadline.whenOver(undefined);
    this.#reject(error);
  }
}
