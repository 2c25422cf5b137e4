/** Ending: tells those who listen that a piece of work is over, at less cost than an AbortController. */
import { waitOver } from "./clock.ts";

/** The part of an AbortSignal that most work needs; every AbortSignal is one. */
export interface EndSignal {
  /** Whether it is over. */
  readonly aborted: boolean;
  /** Calls `call` when it is over; not when it is over already. */
  addEventListener(type: "abort", call: () => void): void;
  removeEventListener(type: "abort", call: () => void): void;
}

export class Ending implements EndSignal {
  #calls: readonly (() => void)[] = nobody;
  /** Made when it is asked for: making one takes longer than much of the work that ends. */
  #controller: AbortController | undefined;
  #over = false;

  get aborted(): boolean {
    return this.#over;
  }

  /** The same, for what takes a whole AbortSignal. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort(waitOver);
    return this.#controller.signal;
  }

  addEventListener(_: "abort", call: () => void): void {
    if (!this.#over) this.#calls = [...this.#calls, call];
  }

  removeEventListener(_: "abort", call: () => void): void {
    this.#calls = this.#calls.filter((other) => other !== call);
  }

  /** Ends it. Calls everybody who listens, once; what they throw is not caught. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    for (let call = this.#calls[0]; call !== undefined; call = this.#calls[0]) {
      this.removeEventListener("abort", call);
      call();
    }
    this.#controller?.abort(waitOver);
  }
}

const nobody: readonly (() => void)[] = [];
