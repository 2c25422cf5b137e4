/** Deadline: work that is given up when it takes too long. */
import { type Clock, waitOver } from "./clock.ts";

/** How a deadline ends the work. */
export interface DeadlineOptions<T> {
  /** Called when the time is over: gives the result in place of the work's own, or throws. */
  readonly late: () => T;
  /** When it aborts, the time is over at once. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The result of `work`, if it comes within `ms` milliseconds; otherwise that of `late`.
 *
 * The signal `work` is given aborts when the time is over, and also when the work is: whatever it has
 * begun ends with it. Work that does not obey goes on, and nothing that becomes of it is reported. No
 * timer is left. Rejects with what `work` or `late` throws.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  { late, signal }: DeadlineOptions<T>,
): Promise<T> {
  const over = new AbortController();
  const end = () => over.abort(waitOver);
  let done = false;
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  // Once the work is done, the race is decided and this result is not looked at.
  const tooLate = clock.sleep(ms, over.signal).then(() => (done ? (undefined as T) : late()));
  try {
    return await Promise.race([work(over.signal), tooLate]);
  } finally {
    done = true;
    end();
    signal?.removeEventListener("abort", end);
  }
}
