/**
 * Shared files: keeps the sealed files of recorded calls in the database, in parts, because another
 * process may make the call.
 *
 * What is stored is what stands on the disk of the process that stored it. The key to it is in the call.
 */
import type { FileDepot } from "../../core/file-store.ts";
import type { Connection } from "./connection.ts";

export interface SharedFilesDeps {
  readonly use: <T>(work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** Milliseconds since the epoch that never jump. */
  readonly now: () => number;
  /** Whether this process removes what is forgotten. */
  readonly sweeps: () => boolean;
}

/** Bytes of a part: a few of them in memory cost nothing, and a statement takes milliseconds. */
const partBytes = 262_144;

export class SharedFiles implements FileDepot {
  readonly #deps: SharedFilesDeps;

  constructor(deps: SharedFilesDeps) {
    this.#deps = deps;
  }

  save(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const { now, use } = this.#deps;
    return use((connection) =>
      connection.transaction(() => saveFile(connection, name, content, now())),
    );
  }

  load(name: string): AsyncIterable<Uint8Array> {
    return loadFile(this.#deps.use, name);
  }

  async forget(storedBeforeEpochMs: number): Promise<void> {
    if (!this.#deps.sweeps()) return;
    await this.#deps.use((connection) =>
      connection.run(
        `DELETE FROM files f WHERE f.stored_at < $1
         AND NOT EXISTS (SELECT 1 FROM message_files m WHERE m.name = f.name)`,
        [storedBeforeEpochMs],
      ),
    );
  }
}

/** Stores a file in the transaction of the caller. */
export async function saveFile(
  connection: Connection,
  name: string,
  content: AsyncIterable<Uint8Array>,
  nowEpochMs: number,
): Promise<void> {
  let part = 0;
  for await (const bytes of partsOf(content)) {
    await connection.run(
      `INSERT INTO files (name, part, content, stored_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (name, part) DO UPDATE SET content = excluded.content, stored_at = excluded.stored_at`,
      [name, part++, bytes, nowEpochMs],
    );
  }
}

/** Reads a file, in as many uses of a connection as it has parts. */
export async function* loadFile(
  use: SharedFilesDeps["use"],
  name: string,
): AsyncIterable<Uint8Array> {
  for (let part = 0; ; part++) {
    const [row] = await use((connection) =>
      connection.all<{ content: Uint8Array }>(
        "SELECT content FROM files WHERE name = $1 AND part = $2",
        [name, part],
      ),
    );
    if (!row) return;
    yield row.content;
  }
}

async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < partBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
