/** SQLite content: reads and fills the tables of a `bot.db` that no bot has open. */
import { MoveRefusedError } from "../../core/errors.ts";
import type { SqlValue } from "../../core/transaction.ts";
import { lineOrder } from "../sqlite/line-order.ts";
import { messageColumns } from "../sqlite/message-rows.ts";
import type { IndexRow } from "../sqlite/message-table.ts";
import type { Database } from "../sqlite/sqlite-driver.ts";
import {
  engineFacts,
  expectColumns,
  messagesTable,
  type Placing,
  parksTable,
  type Receiver,
  type Row,
  type Table,
} from "./content.ts";
import type { FileDirectory } from "./file-directory.ts";
import { entriesKeepingOrder, type Ranked } from "./kept-order.ts";

/** Tables that stay with the file: its migrations, its boots; and those that `messages` shows. */
const notShown = ["migrations", "table_set_migrations", "boots", "in_hand"];

const rowsPerRead = 500;
const storedMessage = [...messageColumns, "payload"];

type Line = Pick<IndexRow, "id" | "pool" | "lane" | "created_at" | "enters_at">;

/** The names of its tables, in the order in which they were made. */
export function tableNames(database: Database): readonly string[] {
  return database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY rowid",
    )
    .all<{ name: string }>()
    .map(({ name }) => name);
}

export class SqliteContent implements Receiver {
  readonly tables: readonly Table[];
  readonly #database: Database;
  readonly #now: number;
  readonly #files: FileDirectory;
  readonly #lines: Ranked[] = [];
  readonly #inHand = new Map<string, number[]>();

  /** @param nowEpochMs Until then delayed messages have entered their lanes. */
  constructor(database: Database, nowEpochMs: number, files: FileDirectory) {
    this.#database = database;
    this.#files = files;
    this.#now = nowEpochMs;
    const tables = tableNames(database)
      .filter((name) => !notShown.includes(name))
      .map((name) => ({ name, columns: this.#columnsOf(name) }));
    this.tables = tables.map((table) => this.#shown(table));
  }

  #shown(table: Table): Table {
    switch (table.name) {
      case "messages":
        expectColumns(table.name, table.columns, storedMessage);
        return messagesTable;
      case "parks":
        expectColumns(table.name, table.columns, parksTable.columns);
        return parksTable;
      default:
        return table;
    }
  }

  #columnsOf(table: string): readonly string[] {
    return this.#database
      .prepare("SELECT name FROM pragma_table_info(?)")
      .all<{ name: string }>(table)
      .map(({ name }) => name);
  }

  async *rows(table: Table): AsyncIterable<readonly Row[]> {
    switch (table.name) {
      case "messages":
        yield* this.#messages();
        break;
      case "parks":
        yield* this.#read(parksTable, `not_before > ${this.#now}`);
        break;
      case "settings":
        yield* this.#read(table, `name NOT LIKE '${engineFacts}'`);
        break;
      default:
        yield* this.#read(table);
    }
  }

  /** Reads in the order of the primary key, some rows at a time. */
  *#read({ columns, name }: Table, where = "true"): Iterable<readonly Row[]> {
    const keys = this.#database
      .prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")
      .all<{ name: string }>(name)
      .map((column) => quoted(column.name));
    const key = keys.length > 0 ? keys.join(", ") : "rowid";
    const marks = key.replace(/[^,]+/g, "?");
    const ofKey = key.split(", ").map((column, index) => `${column} AS "key ${index}"`);
    const select = `SELECT ${columns.map(quoted)}, ${ofKey} FROM ${quoted(name)} WHERE ${where}`;
    const first = this.#database.prepare(`${select} ORDER BY ${key} LIMIT ${rowsPerRead}`);
    const later = this.#database.prepare(
      `${select} AND (${key}) > (${marks}) ORDER BY ${key} LIMIT ${rowsPerRead}`,
    );
    for (let rows = first.all<Row>(); rows.length > 0; ) {
      yield rows;
      const last = rows.at(-1) as Row;
      rows = later.all<Row>(...ofKey.map((_, index) => last[`key ${index}`] as SqlValue));
    }
  }

  *#messages(): Iterable<readonly Row[]> {
    const placings = this.#placings();
    const delayed: Placing = { rank: null, place: null, in_hand: 0 };
    for (const rows of this.#read({ name: "messages", columns: storedMessage })) {
      yield rows.map((row) => ({ ...row, ...(placings.get(Number(row["id"])) ?? delayed) }));
    }
  }

  /** How the next start would line the messages up; without those that are delayed. */
  #placings(): ReadonlyMap<number, Placing> {
    const all = this.#database
      .prepare("SELECT id, pool, lane, created_at, enters_at FROM messages ORDER BY id")
      .all<Line>();
    const entered = all
      .filter(({ enters_at: at }) => at !== null && at <= this.#now)
      .sort((a, b) => Number(a.enters_at) - Number(b.enters_at) || a.id - b.id);
    const inHand = new Set(
      this.#database
        .prepare("SELECT ids FROM in_hand")
        .all<{ ids: string }>()
        .flatMap(({ ids }) => JSON.parse(ids) as number[]),
    );
    const ranks = new Map<string, number>();
    const placings = new Map<number, Placing>();
    const place = ({ id, lane, pool }: Line) => {
      if (placings.has(id)) return;
      const rank = (ranks.get(`${pool}|${lane}`) ?? 0) + 1;
      ranks.set(`${pool}|${lane}`, rank);
      placings.set(id, { rank, place: placings.size + 1, in_hand: Number(inHand.has(id)) });
    };
    for (const line of all) if (inHand.has(line.id)) place(line);
    for (const line of lineOrder(all, entered)) place(line);
    return placings;
  }

  async lastIds(): Promise<ReadonlyMap<string, number>> {
    const counted = this.#database
      .prepare("SELECT name, seq FROM sqlite_sequence")
      .all<{ name: string; seq: number }>();
    return new Map(counted.map(({ name, seq }) => [name, seq]));
  }

  async add(table: Table, rows: readonly Row[]): Promise<void> {
    const isQueue = table.name === messagesTable.name;
    const columns = isQueue ? storedMessage : table.columns;
    const insert = this.#database.prepare(
      `INSERT INTO ${quoted(table.name)} (${columns.map(quoted)}) VALUES (${columns.map(() => "?")})`,
    );
    for (const row of rows) {
      insert.run(...columns.map((column) => plain(row[column] ?? null)));
      if (isQueue) this.#note(row);
    }
  }

  #note(row: Row): void {
    const message = row as unknown as Ranked & Placing;
    if (message.in_hand) {
      const ids = this.#inHand.get(message.pool) ?? [];
      this.#inHand.set(message.pool, [...ids, message.id]);
    } else if (message.rank !== null) {
      const { created_at, enters_at, id, lane, pool, rank } = message;
      this.#lines.push({ created_at, enters_at, id, lane, pool, rank });
    }
  }

  file(name: string): AsyncIterable<Uint8Array> {
    return this.#files.read(name);
  }

  addFile(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#files.write(name, content);
  }

  async finish(lastIds: ReadonlyMap<string, number>): Promise<void> {
    const sql = (text: string) => this.#database.prepare(text);
    const insertInHand = sql("INSERT INTO in_hand (pool, ids) VALUES (?, ?)");
    for (const [pool, ids] of this.#inHand) insertInHand.run(pool, JSON.stringify(ids));
    const enter = sql("UPDATE messages SET enters_at = ? WHERE id = ?");
    for (const [id, at] of entriesKeepingOrder(this.#lines)) enter.run(at, id);
    const counting = sql(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'",
    ).all<{ name: string }>();
    const reached = await this.lastIds();
    for (const { name } of counting) {
      const last = Math.max(reached.get(name) ?? 0, lastIds.get(name) ?? 0);
      sql("DELETE FROM sqlite_sequence WHERE name = ?").run(name);
      sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)").run(name, last);
    }
    const [dangling] = sql("PRAGMA foreign_key_check").all<{ table: string }>();
    if (dangling)
      throw new MoveRefusedError(`a row of ${dangling.table} refers to one that is missing`);
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** SQLite has no truth values of its own. */
function plain(value: SqlValue): SqlValue {
  return typeof value === "boolean" ? Number(value) : value;
}
