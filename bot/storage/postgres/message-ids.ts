/** Message ids: taken from the server in blocks, because a message is sealed for its id before it is sent. */
import type { Connection } from "./connection.ts";

/** The increment of the sequence. */
export const blockLength = 1_000;

export class MessageIds {
  #next = 0;
  #end = 0;

  /** @param connection Where a block is taken, in any transaction: a sequence is never rolled back. */
  async take(count: number, connection: Connection): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) {
      if (this.#next === this.#end) await this.#takeBlock(connection);
      else ids.push(this.#next++);
    }
    return ids;
  }

  /**
   * Takes a new block before the next id. A server that has lost commits may not know of the block either,
   * and gives it to another process.
   */
  forget(): void {
    this.#next = this.#end;
  }

  async #takeBlock(connection: Connection): Promise<void> {
    const [row] = await connection.all<{ id: number }>("SELECT nextval('message_ids') AS id");
    this.#next = row?.id as number;
    this.#end = this.#next + blockLength;
  }
}
