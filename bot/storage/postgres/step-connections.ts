/**
 * Step connections: sessions of their own for durable steps and for reading, so that neither waits for
 * turns. They are opened when they are needed, and replaced when they are lost.
 */
import type { Connection } from "./connection.ts";

export class StepConnections {
  readonly #open: () => Promise<Connection>;
  readonly #max: number;
  readonly #free: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  #used = 0;
  #closed = false;

  /** @param max How many there are at most. */
  constructor(open: () => Promise<Connection>, max: number) {
    this.#open = open;
    this.#max = max;
  }

  /** Runs `work` on a connection that nothing else uses meanwhile. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    while (this.#used >= this.#max) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#used++;
    try {
      const connection = this.#takeFree() ?? (await this.#open());
      try {
        return await work(connection);
      } finally {
        if (this.#closed) await connection.end();
        else if (!connection.lost) this.#free.push(connection);
      }
    } finally {
      this.#used--;
      this.#waiting.shift()?.();
    }
  }

  #takeFree(): Connection | undefined {
    for (;;) {
      const connection = this.#free.pop();
      if (!connection?.lost) return connection;
    }
  }

  /** Ends the free connections now, and the used ones when their work is over. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#free.splice(0).map((connection) => connection.end()));
  }

  /** Cuts the free connections, which may be as dead as one that was lost; new ones are opened. */
  cutFree(): void {
    for (const connection of this.#free.splice(0)) connection.destroy();
  }

  /** Cuts the free connections for good, as a kill does. */
  destroy(): void {
    this.#closed = true;
    this.cutFree();
  }
}
