/**
 * SQLite driver: wraps `node:sqlite`; no other file uses it, so it is easy to replace.
 *
 * Translates SQLite's result codes into our storage errors; callers see only those.
 */
import { closeSync, existsSync, fdatasync, openSync } from "node:fs";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { promisify } from "node:util";
import {
  type BotError,
  StorageCorruptError,
  StorageFailedError,
  StorageFullError,
  StorageInUseError,
  StorageUnavailableError,
} from "../../core/errors.ts";
import type { Sql, SqlStatement, SqlValue } from "../../core/transaction.ts";

/** A statement whose results are there at once. */
export interface SqliteStatement extends SqlStatement {
  run(...parameters: SqlValue[]): number;
  insert(...parameters: SqlValue[]): number;
  get<Row>(...parameters: SqlValue[]): Row | undefined;
  all<Row>(...parameters: SqlValue[]): Row[];
}

/** One open database file. Every method throws a `BotError` for what SQLite reports. */
export interface Database extends Sql {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): void;
  /** Whether a transaction is open; SQLite itself closes it on some errors. */
  readonly inTransaction: boolean;
  /**
   * Resolves once everything that was committed is on the disk: with `synchronous = NORMAL` a commit
   * itself does not wait for that. Rejects with `StorageFailedError`; the file must not be used any more.
   */
  sync(): Promise<void>;
  close(): void;
}

/** A database that can be copied while others write to it. */
export interface CopiedDatabase extends Database {
  /**
   * Copies all pages into another file, as the open transaction sees them; without one, as they are
   * when the copy begins. Source: sqlite.org/c3ref/backup_finish.html.
   */
  copyPages(to: string): Promise<void>;
}

/** Pages that are copied at a time, so that a thread of Node's pool is not held for long. */
const pagesPerStep = 4_096;

export interface OpenOptions {
  /** Nothing is written, not even the file's journal. Default false. */
  readonly readOnly?: boolean;
  /** Resolves once a file, given by its descriptor, is on the disk. Default: fdatasync. */
  readonly syncFile?: (file: number) => Promise<void>;
}

/** Opens a file. */
export type OpenDatabase<Opened = Database> = (path: string, options?: OpenOptions) => Opened;

/** Opens a file with Node's built-in SQLite. */
export const openNodeSqlite: OpenDatabase<CopiedDatabase> = (path, options = {}) => {
  if (!options.readOnly) makePrivate(path);
  const database = guard(
    () => new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 0 }),
  );
  const journal = new Journal(path, database, options.syncFile ?? promisify(fdatasync));
  return {
    prepare: (sql) => wrapStatement(() => database.prepare(sql)),
    exec: (sql) => {
      journal.written = true;
      guard(() => database.exec(sql));
    },
    get inTransaction() {
      return database.isTransaction;
    },
    copyPages: async (to) => {
      await backup(database, to, { rate: pagesPerStep }).catch((error: unknown) => {
        throw translate(error);
      });
    },
    sync: () => journal.sync(),
    close: () => {
      journal.close();
      guard(() => database.close());
    },
  };
};

/**
 * The write-ahead log of a database, synced in a thread of Node's pool.
 *
 * SQLite takes no lock on this file (its locks are on the database and the index of the log), so that
 * closing our descriptor releases none of them. Source: sqlite.org/wal.html, "File Format".
 */
class Journal {
  /** Whether something was written that the database does not count as a change of rows. */
  written = true;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #syncFile: (file: number) => Promise<void>;
  #totalChanges: StatementSync | undefined;
  #file: number | undefined;
  #synced = 0;

  constructor(
    databasePath: string,
    database: DatabaseSync,
    syncFile: (file: number) => Promise<void>,
  ) {
    this.#path = `${databasePath}-wal`;
    this.#database = database;
    this.#syncFile = syncFile;
  }

  async sync(): Promise<void> {
    this.#totalChanges ??= this.#database.prepare("SELECT total_changes() AS count");
    const { count } = this.#totalChanges.get() as { count: number };
    // A sync of what is on the disk already costs as much as any other.
    if (count === this.#synced && !this.written) return;
    this.#synced = count;
    // What an open transaction has changed so far is counted, and is in the journal only after its commit.
    this.written = this.#database.isTransaction;
    try {
      this.#file ??= openSync(this.#path, "r+");
      await this.#syncFile(this.#file);
    } catch (cause) {
      throw new StorageFailedError(`the journal could not be synced: ${String(cause)}`, {
        cause,
        hint: "Check the disk of DATA_DIR.",
      });
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** Creates the file readable only for its owner, because SQLite would let all users read it. */
function makePrivate(path: string): void {
  if (path === ":memory:" || existsSync(path)) return;
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch {
    // SQLite will meet the same obstacle, and its error is translated.
  }
}

/** @param prepare Called at the first use: most lives of a process never use most statements. */
function wrapStatement(prepare: () => StatementSync): SqliteStatement {
  let prepared: StatementSync | undefined;
  const statement = () => (prepared ??= prepare());
  return {
    run: (...parameters) => guard(() => Number(statement().run(...parameters).changes)),
    insert: (...parameters) => guard(() => Number(statement().run(...parameters).lastInsertRowid)),
    get: <Row>(...parameters: SqlValue[]) =>
      guard(() => statement().get(...parameters)) as Row | undefined,
    all: <Row>(...parameters: SqlValue[]) => guard(() => statement().all(...parameters)) as Row[],
  };
}

function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/** Primary result codes. Source: sqlite.org/rescode.html. */
const resultCode = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notDb: 26,
};

function translate(error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") {
    return error;
  }
  const storageError = classify(error.errcode, error);
  return storageError ?? error;
}

function classify(extendedCode: number, cause: Error): BotError | undefined {
  const what = `SQLite ${extendedCode}: ${cause.message}`;
  switch (extendedCode & 0xff) {
    case resultCode.full:
      return new StorageFullError(what, { cause, hint: "Free space on the disk of DATA_DIR." });
    case resultCode.ioError:
      return new StorageFailedError(what, { cause, hint: "Check the disk of DATA_DIR." });
    case resultCode.corrupt:
    case resultCode.notDb:
      return new StorageCorruptError(what, {
        cause,
        hint: "Nothing was overwritten. Move the file away and restore a backup.",
      });
    case resultCode.readOnly:
    case resultCode.cantOpen:
      return new StorageUnavailableError(what, {
        cause,
        hint: "Make DATA_DIR writable for the user that runs the bot.",
      });
    case resultCode.busy:
      return new StorageInUseError(what, { cause, hint: "Another process uses this DATA_DIR." });
    default:
      return undefined;
  }
}
