/** SQLite end: the `bot.db` and `files/` of a data directory, as the place that data are moved from or to. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { syncPath } from "../../core/sync-path.ts";
import { arrivedFact, type MovedMark, movedFact, readMark } from "../moved-mark.ts";
import { lockDataDirectory } from "../sqlite/data-lock.ts";
import { documentTables } from "../sqlite/document-table.ts";
import { keptName, setAside } from "../sqlite/restore.ts";
import {
  checkIntegrity,
  configureDatabase,
  factOf,
  inspectDatabase,
  migrate,
} from "../sqlite/schema.ts";
import { type Database, openNodeSqlite } from "../sqlite/sqlite-driver.ts";
import { SqliteStore } from "../sqlite/sqlite-store.ts";
import { inspectTableSets, migrateTableSets, type TableSetList } from "../sqlite/table-sets.ts";
import type { Content, End, EndState, Receiver } from "./content.ts";
import { FileDirectory } from "./file-directory.ts";
import { SqliteContent, tableNames } from "./sqlite-content.ts";

export interface SqliteEndDeps {
  readonly directory: string;
  readonly clock: Clock;
  readonly keys: EncryptionKeys;
  /** The running module's own tables. */
  readonly tableSets: TableSetList;
  /** Directory of the mark that says which database belongs here. Default: none is kept. */
  readonly markDirectory?: string | undefined;
}

/** The tables that have rows in an empty database. */
const bookkeeping = ["migrations", "table_set_migrations", "boots", "settings"];

export class SqliteEnd implements End {
  readonly address: string;
  readonly emptyHint: string;
  readonly #deps: SqliteEndDeps;
  readonly #path: string;
  readonly #now: number;
  readonly #files: FileDirectory;
  #lock: Database | undefined;

  constructor(deps: SqliteEndDeps) {
    this.#deps = deps;
    this.#path = resolve(join(deps.directory, "bot.db"));
    this.#now = deps.clock.epochMs();
    this.#files = new FileDirectory(join(deps.directory, "files"));
    this.address = this.#path;
    this.emptyHint = `Move ${this.#path} away, or set DATA_DIR to another directory.`;
  }

  async enter(role: "source" | "target"): Promise<void> {
    const { directory } = this.#deps;
    if (role === "target") mkdirSync(directory, { recursive: true, mode: 0o700 });
    else if (!this.#exists) return;
    else await this.#bringUpToDate();
    this.#lock = lockDataDirectory(directory, openNodeSqlite);
  }

  get #exists(): boolean {
    return existsSync(this.#path) && statSync(this.#path).size > 0;
  }

  /** As a start of the bot does: checks file and key, migrates, and undoes a step of the clock. */
  async #bringUpToDate(): Promise<void> {
    const { mark } = await this.look();
    if (mark) return;
    const store = new SqliteStore({
      ...this.#deps,
      publish: () => {},
      onFatal: (error) => {
        throw error;
      },
      ...{ backupsKept: 1, dedupeKeepMs: 0, laneLengthMax: 1 },
    });
    await store.open();
    await store.close();
  }

  async look(): Promise<EndState> {
    if (!this.#exists) return { empty: true, mark: undefined, arrived: undefined };
    const database = openNodeSqlite(this.#path, { readOnly: true });
    try {
      inspectDatabase(database, this.#path);
      inspectTableSets(database, this.#sets, this.#path);
      checkIntegrity(database, this.#path);
      return {
        empty: tableNames(database).every((name) => isEmpty(database, name)),
        mark: readMark(factOf(database, movedFact)),
        arrived: factOf(database, arrivedFact),
      };
    } finally {
      database.close();
    }
  }

  get #sets(): TableSetList {
    return [documentTables, ...this.#deps.tableSets];
  }

  async give(mark: MovedMark, work: (content: Content) => Promise<void>): Promise<void> {
    const database = openNodeSqlite(this.#path);
    try {
      await work(new SqliteContent(database, this.#now, this.#files));
    } finally {
      database.close();
    }
    await this.setMark(mark);
  }

  async setMark(mark: MovedMark | undefined): Promise<void> {
    const database = openNodeSqlite(this.#path);
    try {
      database.exec("PRAGMA synchronous = FULL");
      writeFact(database, movedFact, mark && JSON.stringify(mark));
    } finally {
      database.close();
    }
  }

  async receive<T>(
    { aside, id }: { readonly id: string; readonly aside: boolean },
    work: (receiver: Receiver) => Promise<T>,
  ): Promise<{ readonly result: T; readonly kept: string | undefined }> {
    const { directory } = this.#deps;
    const unfinished = join(directory, "bot-moving.db");
    removeFile(unfinished);
    // The file is made first, because SQLite would make it readable for all users.
    writeFileSync(unfinished, "", { mode: 0o600 });
    try {
      const result = await this.#fill(unfinished, id, work);
      const kept = aside
        ? setAside(this.#path, keptName(directory, this.#now), openNodeSqlite)
        : undefined;
      // A journal of the file that was empty must never be applied to this one.
      for (const suffix of ["-wal", "-shm"]) rmSync(`${this.#path}${suffix}`, { force: true });
      renameSync(unfinished, this.#path);
      syncPath(directory);
      return { result, kept };
    } finally {
      removeFile(unfinished);
    }
  }

  async #fill<T>(path: string, id: string, work: (receiver: Receiver) => Promise<T>): Promise<T> {
    const database = openNodeSqlite(path);
    try {
      configureDatabase(database);
      migrate(database, this.#now);
      migrateTableSets(database, this.#sets, this.#now);
      database.exec("PRAGMA foreign_keys = OFF");
      database.exec("BEGIN IMMEDIATE");
      // All values that come are sealed, so none has to be looked for.
      database.exec("DELETE FROM settings");
      writeFact(database, arrivedFact, id);
      const result = await work(new SqliteContent(database, this.#now, this.#files));
      database.exec("COMMIT");
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      database.exec("PRAGMA journal_mode = DELETE");
      syncPath(path);
      return result;
    } finally {
      database.close();
    }
  }

  async close(): Promise<void> {
    this.#lock?.close();
    this.#lock = undefined;
  }
}

function isEmpty(database: Database, table: string): boolean {
  if (bookkeeping.includes(table)) return true;
  return !database.prepare(`SELECT 1 FROM "${table.replaceAll('"', '""')}" LIMIT 1`).get();
}

function writeFact(database: Database, name: string, value: string | undefined): void {
  if (value === undefined) database.prepare("DELETE FROM settings WHERE name = ?").run(name);
  else database.prepare("INSERT OR REPLACE INTO settings VALUES (?, ?)").run(name, value);
}

function removeFile(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"])
    rmSync(`${path}${suffix}`, { force: true });
}
