/**
 * Record file: a bounded history on disk, one JSON line per record, independent of the database.
 *
 * A record changes by another line of the same key; the last line counts. A line that a death has torn is
 * left out; everything before it is whole.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

export interface RecordFileOptions<T> {
  readonly path: string;
  /** The key of a record; `undefined` for a value that is no record. */
  readonly keyOf: (value: T) => string | undefined;
}

export class RecordFile<T> {
  readonly #options: RecordFileOptions<T>;

  constructor(options: RecordFileOptions<T>) {
    this.#options = options;
  }

  /** Oldest first; none when there is no file. */
  read(): T[] {
    const { keyOf, path } = this.#options;
    if (!existsSync(path)) return [];
    const records = new Map<string, T>();
    for (const line of readFileSync(path, "utf8").split("\n")) {
      const record = parse<T>(line);
      const key = record && keyOf(record);
      if (record && key !== undefined) records.set(key, record);
    }
    return [...records.values()];
  }

  /** Replaces everything by these records. They go into a new file first, so a death leaves the old one. */
  rewrite(records: readonly T[]): void {
    const { path } = this.#options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const next = `${path}.next`;
    writeFileSync(next, records.map(toLine).join(""), { mode: 0o600, flush: true });
    renameSync(next, path);
  }

  /** @param synced Whether it must be on disk when this returns. Throws what the disk says. */
  append(record: T, synced: boolean): void {
    const file = openSync(this.#options.path, "a", 0o600);
    try {
      writeSync(file, toLine(record));
      if (synced) fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}

function toLine(record: unknown): string {
  return `${JSON.stringify(record)}\n`;
}

function parse<T>(line: string): T | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch {
    // Torn by a death, or no JSON at all.
    return undefined;
  }
}
