/** Deadline: work that is given up when it takes too long. */
import type { Clock } from "./clock.ts";
import { Ending, type EndSignal } from "./ending.ts";

/** How a deadline ends the work. */
export interface DeadlineOptions<T> {
  /** Called when the time is over: gives the result in place of the work's own, or throws. */
  readonly late: () => T;
  /** When it aborts, the time is over at once. Default: never. */
  readonly signal?: EndSignal | undefined;
}

/**
 * The result of `work`, if it comes within `ms` milliseconds; otherwise that of `late`.
 *
 * The ending that `work` is given comes when the time is over, and also when the work is: whatever it has
 * begun ends with it. Work that does not obey it goes on, and nothing that becomes of it is reported. No
 * timer is left. Rejects with what `work` or `late` throws.
 */
export function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (ending: Ending) => Promise<T>,
  { late, signal }: DeadlineOptions<T>,
): Promise<T> {
  const ending = new Ending();
  return new Promise((resolve, reject) => {
    const end = () => {
      callOff();
      signal?.removeEventListener("abort", giveUp);
      ending.end();
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
    signal?.addEventListener("abort", giveUp);
    try {
      if (signal?.aborted) ending.end();
      work(ending).then(
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
