/**
 * Copy files: brings the files that messages wait to send from one place to the other, and compares them.
 *
 * They stay sealed; the keys to them are in the calls. One that is missing is no reason to leave everything
 * where it is: its call would fail there just as well.
 */
import { createHash } from "node:crypto";
import { StorageFailedError } from "../../core/errors.ts";
import type { Content, Receiver } from "./content.ts";

export interface CopiedFiles {
  /** Files that were in the source. */
  readonly from: number;
  /** Files that are in the target now; some may have been there before. */
  readonly to: number;
  /** Files that calls name and that are in neither. */
  readonly missing: number;
}

/** @throws {StorageFailedError} when a file is not the same on both sides. */
export async function copyFiles(given: Content, receiver: Receiver): Promise<CopiedFiles> {
  const names = await namedFiles(given);
  let [from, to] = [0, 0];
  for (const name of names) {
    const sent = new Sum();
    await receiver.addFile(name, sent.through(given.file(name)));
    const there = new Sum();
    for await (const _ of there.through(receiver.file(name)));
    if (sent.bytes > 0 && sent.digest !== there.digest) {
      throw new StorageFailedError(`the file ${name} is not the same on both sides`, {
        hint: "Nothing was moved, and the target is as it was before.",
      });
    }
    if (sent.bytes > 0) from++;
    if (there.bytes > 0) to++;
  }
  return { from, to, missing: names.size - to };
}

async function namedFiles(content: Content): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const table = content.tables.find(({ name }) => name === "message_files");
  if (!table) return names;
  for await (const rows of content.rows(table)) {
    for (const { name } of rows) names.add(String(name));
  }
  return names;
}

class Sum {
  bytes = 0;
  readonly #hash = createHash("sha256");

  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  async *through(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const part of content) {
      this.bytes += part.length;
      this.#hash.update(part);
      yield part;
    }
  }
}
