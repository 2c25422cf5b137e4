/**
 * Change feed: keeps the latest changes that a messenger shows, in order.
 *
 * A reader may wait for the next change.
 */
import type { Change } from "../control-api.ts";

const changesMax = 20_000;
const waitMsMax = 30_000;
const pageSize = 1_000;

export class ChangeFeed {
  readonly #waiting = new Set<() => void>();
  #changes: Change[] = [];
  #sequences = 0;

  add(change: Omit<Change, "sequence">): void {
    this.#sequences += 1;
    this.#changes.push({ sequence: this.#sequences, ...change });
    if (this.#changes.length > changesMax * 1.25) this.#changes = this.#changes.slice(-changesMax);
    for (const wake of this.#waiting) wake();
  }

  /** @param after -1: only the latest change, from which a new reader learns the sequence number. */
  async after(after: number, waitMs: number): Promise<readonly Change[]> {
    if (after < 0) return this.#changes.slice(-1);
    if (after >= this.#sequences && waitMs > 0) await this.#next(Math.min(waitMs, waitMsMax));
    const first = this.#changes[0]?.sequence ?? 1;
    const start = Math.max(0, after + 1 - first);
    return this.#changes.slice(start, start + pageSize);
  }

  /** Ends every wait. */
  stop(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Uses the machine's own time, because a browser waits in real time. */
  #next(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      this.#waiting.add(wake);
    });
  }
}
