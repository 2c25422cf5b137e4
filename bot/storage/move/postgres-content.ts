/** PostgreSQL content: reads and fills the tables of a bot's schema, in the transaction of the caller. */
import { BotError, MoveRefusedError } from "../../core/errors.ts";
import type { SqlValue } from "../../core/transaction.ts";
import type { Connection, Value } from "../postgres/connection.ts";
import { blockLength } from "../postgres/message-ids.ts";
import { loadFile, saveFile } from "../postgres/shared-files.ts";
import { messageColumns } from "../sqlite/message-rows.ts";
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

/** Tables that stay here: migrations, processes, files, and those that `messages` and `parks` show. */
const notShown = ["migrations", "table_set_migrations", "processes", "lanes", "files"];

const storedMessage = [...messageColumns, "payload", "pos", "claims", "owner"];
const laneColumns = [
  ...["pool", "lane", "head", "head_pos", "high", "normal", "low", "priority"],
  ...["available_at", "not_before", "owner", "deaths", "emptied_at"],
];
/** Types that hold the same values on both engines. */
const plainTypes = [
  "bigint",
  "integer",
  "smallint",
  "text",
  "bytea",
  "double precision",
  "boolean",
];

const rowsPerRead = 500;

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

const columnsSql = `
  SELECT c.relname::text AS table, a.attname::text AS column, format_type(a.atttypid, NULL) AS type
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  ORDER BY c.oid, a.attnum`;

/** The columns that draw their values from a sequence. */
const countersSql = `
  SELECT c.relname::text AS table, a.attname::text AS column,
    pg_get_serial_sequence(format('%I.%I', current_schema(), c.relname), a.attname) AS sequence
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND a.attnum > 0 AND NOT a.attisdropped
    AND pg_get_serial_sequence(format('%I.%I', current_schema(), c.relname), a.attname) IS NOT NULL`;

/** The first message of a lane is the one in hand, where there is one: nothing stands before it. */
const lanesSql = `
  INSERT INTO lanes (pool, lane, head, head_pos, high, normal, low, priority, available_at, owner, deaths)
  SELECT q.pool, q.lane, h.id, h.pos, q.high, q.normal, q.low,
    CASE WHEN q.high > 0 THEN 0 WHEN q.normal > 0 THEN 1 ELSE 2 END, h.available_at, h.owner,
    CASE WHEN q.pool = 'handling' THEN h.deaths ELSE 0 END
  FROM (
    SELECT m.pool, m.lane, min(m.pos) AS head_pos, count(*) FILTER (WHERE m.priority = 0) AS high,
      count(*) FILTER (WHERE m.priority = 1) AS normal, count(*) FILTER (WHERE m.priority = 2) AS low
    FROM messages m WHERE m.pos IS NOT NULL GROUP BY 1, 2) q
  JOIN messages h ON h.pool = q.pool AND h.lane = q.lane AND h.pos = q.head_pos
  ON CONFLICT (pool, lane) DO UPDATE SET head = excluded.head, head_pos = excluded.head_pos,
    high = excluded.high, normal = excluded.normal, low = excluded.low, priority = excluded.priority,
    available_at = greatest(excluded.available_at, lanes.not_before), owner = excluded.owner,
    deaths = excluded.deaths, emptied_at = NULL`;

export class PostgresContent implements Receiver {
  readonly tables: readonly Table[];
  readonly #connection: Connection;
  readonly #now: number;
  readonly #types: ReadonlyMap<string, string>;
  /** The number under which what is in hand comes; whoever takes it over counts its death. */
  readonly #owner: number | undefined;
  #cursors = 0;

  private constructor(
    connection: Connection,
    nowEpochMs: number,
    columns: readonly Column[],
    owner: number | undefined,
  ) {
    this.#connection = connection;
    this.#now = nowEpochMs;
    this.#owner = owner;
    this.#types = new Map(columns.map(({ column, table, type }) => [`${table}.${column}`, type]));
    const byTable = Map.groupBy(columns, ({ table }) => table);
    const shown = [...byTable]
      .map(([name, all]): Table => ({ name, columns: all.map(({ column }) => column) }))
      .flatMap((table) => this.#shown(table));
    this.tables = [...shown, parksTable];
  }

  /** @param owner The number of an ended process, to fill the tables under. Default: they are only read. */
  static async open(connection: Connection, nowEpochMs: number, owner?: number) {
    const columns = await connection.all<Column>(columnsSql);
    return new PostgresContent(connection, nowEpochMs, columns, owner);
  }

  #shown(table: Table): readonly Table[] {
    if (table.name === "messages") {
      expectColumns(table.name, table.columns, storedMessage);
      return [messagesTable];
    }
    if (table.name === "lanes") expectColumns(table.name, table.columns, laneColumns);
    if (notShown.includes(table.name)) return [];
    // What moves has been in use before, and no other process is there that could lack it.
    if (table.name === "data_keys")
      return [{ ...table, columns: table.columns.filter((column) => column !== "used_at") }];
    const strange = table.columns.find(
      (column) => !plainTypes.includes(this.#typeOf(table, column)),
    );
    if (strange === undefined) return [table];
    const what = `${table.name}.${strange} is of the type ${this.#typeOf(table, strange)}`;
    throw new MoveRefusedError(`${what}, whose values SQLite cannot hold as they are`, {
      hint: "Nothing was changed.",
    });
  }

  #typeOf(table: Table, column: string): string {
    return this.#types.get(`${table.name}.${column}`) ?? "unknown";
  }

  async *rows(table: Table): AsyncIterable<readonly Row[]> {
    const { columns, name } = table;
    switch (name) {
      case "messages":
        yield* this.#read(this.#messagesSql);
        break;
      case "parks":
        yield* this.#read(
          `SELECT pool, lane, not_before FROM lanes WHERE not_before > ${this.#now}`,
        );
        break;
      case "settings":
        yield* this.#read(
          `SELECT ${columns.map(quoted)} FROM settings WHERE name NOT LIKE '${engineFacts}'`,
        );
        break;
      default:
        yield* this.#read(`SELECT ${columns.map(quoted)} FROM ${quoted(name)}`);
    }
  }

  /** Lets a message that is due but in no lane yet enter as the next turn would: after all others. */
  get #messagesSql(): string {
    const due = `m.pos IS NOT NULL OR m.enters_at <= ${this.#now}`;
    return `SELECT ${[...messageColumns, "payload"].map((column) => `m.${column}`)},
      CASE WHEN ${due} THEN row_number() OVER (
        PARTITION BY m.pool, m.lane, ${due} ORDER BY m.pos NULLS LAST, m.enters_at, m.id) END AS rank,
      NULL::bigint AS place, (m.owner IS NOT NULL)::int AS in_hand
      FROM messages m ORDER BY m.id`;
  }

  async *#read(select: string): AsyncIterable<readonly Row[]> {
    // Each has a name of its own, because statements are prepared by their text.
    const cursor = `reading_${++this.#cursors}`;
    await this.#connection.exec(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${select}`);
    for (;;) {
      const rows = await this.#connection.all<Row>(`FETCH ${rowsPerRead} FROM ${cursor}`);
      if (rows.length === 0) break;
      yield rows;
    }
    await this.#connection.exec(`CLOSE ${cursor}`);
  }

  async lastIds(): Promise<ReadonlyMap<string, number>> {
    const last = new Map<string, number>();
    for (const { sequence, table } of await this.#counters()) {
      last.set(table, await this.#lastOf(sequence, 0));
    }
    // A process may have given out all ids of the last block.
    last.set("messages", await this.#lastOf("message_ids", blockLength - 1));
    return last;
  }

  #counters() {
    return this.#connection.all<{ table: string; column: string; sequence: string }>(countersSql);
  }

  async #lastOf(sequence: string, more: number): Promise<number> {
    const [row] = await this.#connection.all<{ last_value: number; is_called: boolean }>(
      `SELECT last_value, is_called FROM ${sequence}`,
    );
    const { is_called, last_value } = row as NonNullable<typeof row>;
    return is_called ? last_value + more : last_value - 1;
  }

  async add(table: Table, rows: readonly Row[]): Promise<void> {
    if (table.name === parksTable.name) return this.#park(rows);
    const isQueue = table.name === messagesTable.name;
    const columns = isQueue ? storedMessage : table.columns;
    const stored = isQueue ? rows.map((row) => this.#toStored(row)) : rows;
    const values = columns.map((column) => stored.map((row) => row[column] ?? null));
    const types = columns.map((column, index) => `$${index + 1}::${this.#typeOf(table, column)}[]`);
    const insert = `INSERT INTO ${quoted(table.name)} (${columns.map(quoted)}) OVERRIDING SYSTEM VALUE
      SELECT * FROM unnest(${types})`;
    try {
      await this.#connection.run(insert, values as readonly Value[]);
    } catch (cause) {
      if (cause instanceof BotError || !(cause instanceof Error && "code" in cause)) throw cause;
      // Its message may show the value, which may be somebody's.
      throw new MoveRefusedError(
        `PostgreSQL does not take a value of the table ${table.name} (${String(cause.code)})`,
        { cause, hint: "Nothing was changed. Look the code up in PostgreSQL's list of errors." },
      );
    }
  }

  #toStored(row: Row): Row {
    const { in_hand, place } = row as unknown as Placing;
    // Results of steps may be kept for any of them; who claims it a second time looks for them.
    return { ...row, pos: place, claims: 1, owner: in_hand ? (this.#owner ?? null) : null };
  }

  async #park(rows: readonly Row[]): Promise<void> {
    const values = parksTable.columns.map((column) => rows.map((row) => row[column] as SqlValue));
    await this.#connection.run(
      `INSERT INTO lanes (pool, lane, not_before, high, normal, low, priority, available_at, emptied_at)
       SELECT p.pool, p.lane, p.not_before, 0, 0, 0, 2, 0, ${this.#now}
       FROM unnest($1::text[], $2::text[], $3::bigint[]) p(pool, lane, not_before)`,
      values,
    );
  }

  file(name: string): AsyncIterable<Uint8Array> {
    return loadFile((work) => work(this.#connection), name);
  }

  addFile(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    return saveFile(this.#connection, name, content, this.#now);
  }

  async finish(lastIds: ReadonlyMap<string, number>): Promise<void> {
    const exec = (sql: string) => this.#connection.exec(sql);
    await exec(lanesSql);
    for (const { column, sequence, table } of await this.#counters()) {
      const [row] = await this.#connection.all<{ id: number | null }>(
        `SELECT max(${quoted(column)}) AS id FROM ${quoted(table)}`,
      );
      const last = Math.max(row?.id ?? 0, lastIds.get(table) ?? 0);
      if (last > 0) await exec(`SELECT setval('${sequence}', ${last})`);
    }
    await exec(`
      SELECT setval('message_positions', greatest(1, (SELECT max(pos) FROM messages)));
      SELECT setval('message_ids', 1 + greatest(${lastIds.get("messages") ?? 0},
        (SELECT max(id) FROM messages), (SELECT max(id) FROM dead_letters)), false)`);
    for (const { name } of this.tables) {
      if (name !== parksTable.name) await exec(`ANALYZE ${quoted(name)}`);
    }
    await exec("ANALYZE lanes");
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
