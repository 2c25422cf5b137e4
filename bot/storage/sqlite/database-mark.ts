/**
 * Database mark: remembers outside the data directory which database belongs into it.
 *
 * Without it, a start in a data directory that was emptied, replaced or not mounted would make a new
 * database and go on, without anybody's balance. The mark is a small file in the log directory, one for
 * each database's path, and names the identity that was written into the database when it was made.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { StorageMissingError } from "../../core/errors.ts";
import type { Database } from "./sqlite-driver.ts";

/** Name of the fact that holds a database's identity. */
const identityFact = "storage.identity";

export class DatabaseMark {
  readonly #database: string;
  readonly #file: string;

  /** @param logDirectory Where the mark is kept. @param database Path of the database. */
  constructor(logDirectory: string, database: string) {
    this.#database = resolve(database);
    const key = createHash("sha256").update(this.#database).digest("hex").slice(0, 8);
    this.#file = resolve(join(logDirectory, `database-${key}.json`));
  }

  /**
   * Compares the mark with what is at the database's path.
   *
   * @param found The database, opened read-only; `undefined` when there is none, or an empty file.
   * @throws {StorageMissingError} when another database was there.
   */
  check(found: Database | undefined): void {
    const expected = this.#read();
    if (expected === undefined) return;
    // A backup from before identities existed has none; it gets the expected one.
    if (found && [undefined, expected].includes(identityOf(found))) return;
    const what = found ? "is another database than the one that was" : "is missing; it was";
    throw new StorageMissingError(`${this.#database} ${what} used here before`, {
      hint:
        "Nothing was written. Put DATA_DIR back as it was (is its disk mounted?), or restore a backup with " +
        `npm run restore. To begin with what is there now, without the earlier data: rm '${this.#file}'`,
    });
  }

  /** Writes the database's identity into it, if it has none, and into the mark. */
  keep(database: Database): void {
    const expected = this.#read();
    database
      .prepare("INSERT OR IGNORE INTO settings VALUES (?, ?)")
      .run(identityFact, expected ?? randomUUID());
    const identity = identityOf(database);
    if (identity === expected) return;
    const mark = { database: this.#database, identity };
    try {
      writeFileSync(`${this.#file}.next`, `${JSON.stringify(mark)}\n`, {
        mode: 0o600,
        flush: true,
      });
      renameSync(`${this.#file}.next`, this.#file);
    } catch {
      // The log cannot be written to this directory either, which the probe `log` reports.
    }
  }

  /** Lets the next start take whatever database is there. */
  forget(): void {
    rmSync(this.#file, { force: true });
  }

  /** @returns the identity; `undefined` when there is no readable mark. */
  #read(): string | undefined {
    try {
      const mark = JSON.parse(readFileSync(this.#file, "utf8")) as { identity?: unknown } | null;
      return typeof mark?.identity === "string" ? mark.identity : undefined;
    } catch {
      // A mark that cannot be read protects nothing, and must not keep the bot from starting either.
      return undefined;
    }
  }
}

function identityOf(database: Database): string | undefined {
  return database
    .prepare("SELECT value FROM settings WHERE name = ?")
    .get<{ value: string }>(identityFact)?.value;
}
