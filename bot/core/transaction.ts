/**
 * Transaction: what a durable step works on, and how a module brings tables of its own to it.
 *
 * The engine owns the connection, the migrations' bookkeeping and the sealing keys. A module brings
 * the SQL of its tables, says which of their columns are sealed, and gets them back in every
 * transaction: `tx.tables(shopTables).findAccount(7)`.
 */

import type { Documents } from "./documents.ts";
import type { KeyedMessages } from "./keyed-messages.ts";

/** A transaction of the store, for the work of a durable step. It ends with that work. */
export interface Transaction {
  /** The instant the step began, in milliseconds since the epoch: one for the whole transaction. */
  readonly nowEpochMs: number;
  /**
   * The tables of a set, for this transaction.
   *
   * @throws {Error} when the running module does not list the set in its `tables`.
   */
  tables<Tables extends object>(set: TableSet<Tables>): Tables;
  /** JSON documents by collection and key, for data that needs no table of its own. */
  readonly documents: Documents;
  /** The queue's messages that have a key. */
  readonly messages: KeyedMessages;
  /**
   * Waits until no other transaction holds this name, and holds it until this one ends. Lock a name
   * such as `account:7` before you read what decides: where the store is PostgreSQL, transactions run
   * at the same time. On SQLite they run one after the other, and this does nothing.
   */
  lock(name: string): Promise<void>;
  /** Deletes the dead letters of this chat. @returns how many there were. */
  deleteDeadLetters(chatId: number): Promise<number>;
}

/** A value that a column holds. */
export type SqlValue = null | number | bigint | string | NodeJS.ArrayBufferView;

/** At once where the database is in this process (SQLite), later where it is not (PostgreSQL): `await` it. */
export type Awaitable<T> = T | Promise<T>;

/** One prepared statement. */
export interface SqlStatement {
  /** Runs it and returns the number of rows changed. */
  run(...parameters: SqlValue[]): Awaitable<number>;
  /** Runs an INSERT and returns the new row's id, which is the table's first column. */
  insert(...parameters: SqlValue[]): Awaitable<number>;
  get<Row>(...parameters: SqlValue[]): Awaitable<Row | undefined>;
  all<Row>(...parameters: SqlValue[]): Awaitable<Row[]>;
}

/** The database, as far as a module's tables see it. */
export interface Sql {
  /** @param sql One statement that both engines understand, with `?` or `?1` for its parameters. */
  prepare(sql: string): SqlStatement;
}

/**
 * Seals personal data. A `place` names table, column and row (`accounts|profile|7`); a sealed value
 * opens only at the place it was sealed for.
 */
export interface Sealer {
  seal(text: string, place: string): Uint8Array;
  /** @throws {StorageCorruptError} when the value does not fit the place, or its key is missing. */
  open(sealed: unknown, place: string): string;
  /**
   * Blind indexes of a text, for looking up equal ones: one for each key in use. Store the first.
   *
   * @param column Names the index, such as `accounts|username_index`.
   */
  indexes(text: string, column: string): readonly Uint8Array[];
}

/** A column whose values are sealed, so that a key rotation finds them. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** Primary key. */
  readonly key: readonly string[];
  /** A further column of the table that `place` needs. */
  readonly placeColumn?: string;
  readonly place: (key: readonly SqlValue[], placeValue: SqlValue) => string;
  /** Its blind index: the index's column and name, and the text to look up by. */
  readonly index?: {
    readonly column: string;
    readonly name: string;
    readonly of: (text: string) => string | undefined;
  };
}

/** One step of a table set's schema. A published step never changes. */
export interface Migration {
  readonly sql: string;
  /**
   * The same step in PostgreSQL's words. Default: `sql` with its types translated (`INTEGER` to
   * `BIGINT`, `BLOB` to `BYTEA`, `AUTOINCREMENT` to an identity), which does for plain tables and indexes.
   */
  readonly postgres?: string;
  /**
   * A query that gives a row where the step was made before sets kept count of their own steps.
   * Then it is only written down. Default: it never was.
   */
  readonly madeWhen?: string;
}

/** Tables that belong together, and what reads and writes them. */
export interface TableSet<Tables extends object> {
  /** Stable; its migrations are counted under this name. */
  readonly name: string;
  readonly migrations: readonly Migration[];
  readonly sealedColumns: readonly SealedColumn[];
  /** Columns that hold amounts, whose sums are shown when data were moved. Default: none. */
  readonly amounts?: readonly { readonly table: string; readonly column: string }[];
  /** Makes the tables' reader and writer. Its methods wait for nothing but `sql`. */
  open(sql: Sql, sealer: Sealer): Tables;
}
