/**
 * File directory: the sealed files of recorded calls in a data directory, as a move reads and writes them.
 *
 * They are written beside what is there, before the database that names them is in its place. When the move
 * fails, they stay until the bot's next sweep finds that nothing names them.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StorageFailedError } from "../../core/errors.ts";
import { syncPath } from "../../core/sync-path.ts";
import { contentAt } from "../../core/unread-content.ts";

export class FileDirectory {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    const path = join(this.#path, name);
    if (existsSync(path)) yield* contentAt(path);
  }

  /** @throws {StorageFailedError} when the disk does not take it. */
  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const unfinished = join(this.#path, `${name}.part`);
    try {
      mkdirSync(this.#path, { recursive: true, mode: 0o700 });
      await writeFile(unfinished, content, { mode: 0o600, flush: true });
      if (statSync(unfinished).size === 0) return;
      renameSync(unfinished, join(this.#path, name));
      syncPath(this.#path);
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
      if (typeof code !== "string" || !/^E[A-Z]+$/.test(code)) throw cause;
      throw new StorageFailedError(`a file could not be written into ${this.#path} (${code})`, {
        cause,
        hint: "Nothing was moved. Make room, or mend the rights, and make the same move again.",
      });
    } finally {
      rmSync(unfinished, { force: true });
    }
  }
}
