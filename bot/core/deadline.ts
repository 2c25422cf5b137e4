/** Deadline: work that is given up when it takes too long. */
import { type Clock, waitOver } from "./clock.ts";

/** How a deadline ends the work. */
export interface DeadlineOptions<T> {
  /** Called when the time is over: gives the result in place of the work's own, or throws. */
  readonly late: () => T;
  /** When it aborts, the time is over at once. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

/** The deadline of some work, as that sees it. */
export class Deadline {
  /** Made when it is asked for: an AbortController takes longer than much of the work under a deadline. */
  #controller: AbortController | undefined;
  #whenOver: (() => void) | undefined;
  #over = false;

  /** Aborts when the time is over, and also when the work is: whatever it has begun ends with it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort(waitOver);
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Sets what is called once at that instant, in place of what was set before. */
  whenOver(call: (() => void) | undefined): void {
    this.#whenOver = call;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#whenOver?.();
    this.#controller?.abort(waitOver);
  }
}

/**
 * The result of `work`, if it comes within `ms` milliseconds; otherwise that of `late`.
 *
 * Work that does not obey its deadline goes on, and nothing that becomes of it is reported. No timer is left.
 * Rejects with what `work` or `late` throws.
 */
export function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (deadline: Deadline) => Promise<T>,
  { late, signal }: DeadlineOptions<T>,
): Promise<T> {
  const deadline = new Deadline();
  return new Promise((resolve, reject) => {
    const end = () => {
      callOff();
      signal?.removeEventListener("abort", giveUp);
      deadline.end();
    };
    const giveUp = () => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
      end();
    };
    const callOff = clock.timer(ms, giveUp);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      if (signal?.aborted) deadline.end();
      work(deadline).then(
        (result) => {
          resolve(result);
          end();
        },
        (error) => {
          reject(error);
          end();
        },
      );
      if (signal?.aborted) giveUp();
    } catch (error) {
      reject(error);
      end();
    }
  });
}
