/**
 * Message table: the queue's messages on disk, and the latest of them in memory.
 *
 * New and finished messages are written in sets, by `flush`. A message just queued is not read back,
 * because reading and decrypting cost as much as the rest of a claim (measured).
 */
import type { Pool } from "../../core/message.ts";
import type { QueueStore } from "../../core/store.ts";
import type { SqlValue } from "../../core/transaction.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { type MessageRow, messageColumns } from "./message-rows.ts";
import { places } from "./sealed-columns.ts";
import type { Database } from "./sqlite-driver.ts";

/** A message's row, and its payload as JSON text. */
export interface StoredMessage {
  readonly row: MessageRow;
  readonly payload: string;
}

/** Which delayed messages are listed. */
export type DelayedRequest = Parameters<QueueStore["delayedMessages"]>[0];

interface NewRow {
  readonly row: MessageRow;
  readonly sealed: Uint8Array;
}

/** The messages in memory together have at most so many characters; they take about 8 MB. */
const freshLengthMax = 8_000_000;
/** The length that a row counts for besides its payload, in characters. */
const rowLength = 300;

/** Rows of the largest INSERT. Must be a power of two. */
const rowsMax = 32;

const newColumns = [...messageColumns, "payload"] as const;
/** The columns that the scan at the start needs. */
const indexColumns = [
  ...["id", "pool", "lane", "priority", "created_at", "available_at", "deaths", "attempts"],
  ...["replaces", "enters_at"],
];
const idsGiven = "(SELECT value FROM json_each(?))";

export class MessageTable {
  readonly #ring: KeyRing;
  /** The oldest goes first when there is no more room. */
  readonly #fresh = new Map<number, StoredMessage>();
  #freshLength = 0;
  readonly #insert: (rows: number) => ReturnType<Database["prepare"]>;
  readonly #sql;
  #added: NewRow[] = [];
  #left: number[] = [];

  constructor(database: Database, ring: KeyRing) {
    this.#ring = ring;
    const sql = (text: string) => database.prepare(text);
    const marks = `(${newColumns.map(() => "?").join(", ")})`;
    const inserts = new Map<number, ReturnType<Database["prepare"]>>();
    for (let rows = 1; rows <= rowsMax; rows *= 2) {
      const values = Array.from({ length: rows }, () => marks).join(", ");
      inserts.set(rows, sql(`INSERT INTO messages (${newColumns}) VALUES ${values}`));
    }
    this.#insert = (rows) => inserts.get(rows) as ReturnType<Database["prepare"]>;
    this.#sql = {
      find: sql(`SELECT ${newColumns} FROM messages WHERE id = ?`),
      payload: sql("SELECT payload FROM messages WHERE id = ?"),
      withKey: sql(`SELECT ${messageColumns} FROM messages WHERE key = ? ORDER BY id`),
      withIds: sql(`SELECT ${indexColumns} FROM messages WHERE id IN ${idsGiven} ORDER BY id`),
      entering: sql(
        `SELECT ${indexColumns} FROM messages WHERE enters_at > ? AND enters_at <= ?
         ORDER BY enters_at, id`,
      ),
      list: sql(
        `SELECT ${messageColumns} FROM messages
         WHERE enters_at > ?1 AND (?2 IS NULL OR type = ?2)
         ORDER BY enters_at, id LIMIT ?3 OFFSET ?4`,
      ),
      firstEntry: sql("SELECT min(enters_at) AS at FROM messages WHERE enters_at > ?"),
      delayed: sql(
        `SELECT pool, count(*) AS count FROM messages WHERE enters_at > ? GROUP BY pool`,
      ),
      after: sql(`SELECT ${indexColumns} FROM messages WHERE id > ? ORDER BY id LIMIT 1000`),
      delete: sql(`DELETE FROM messages WHERE id IN ${idsGiven}`),
      update: sql(
        `UPDATE messages SET lane = ?, available_at = ?, attempts = ?, errors = ?, deaths = ?,
           flood_scope = ? WHERE id = ?`,
      ),
      delay: sql("UPDATE messages SET available_at = ? WHERE id = ?"),
      enter: sql("UPDATE messages SET available_at = ?1, enters_at = ?1 WHERE id = ?2"),
      readdress: sql("UPDATE messages SET payload = ? WHERE id = ?"),
    };
  }

  /** @param payload The payload as JSON text. */
  add(row: MessageRow, payload: string, sealed = this.#seal(row, payload)): void {
    this.#added.push({ row, sealed });
    this.#remember({ row, payload });
  }

  #remember(message: StoredMessage): void {
    this.#fresh.set(message.row.id, message);
    this.#freshLength += message.payload.length + rowLength;
    if (this.#freshLength <= freshLengthMax) return;
    for (const id of this.#fresh.keys()) {
      this.forget(id);
      if (this.#freshLength <= freshLengthMax) return;
    }
  }

  find(id: number): StoredMessage {
    const known = this.#fresh.get(id);
    if (known) return known;
    this.flush();
    const found = this.#sql.find.get<MessageRow & { payload: Uint8Array }>(id);
    if (!found) throw new Error(`message ${id} is not in its table`);
    const { payload, ...row } = found;
    const message = { row, payload: this.#ring.open(payload, places.payload(row)) };
    this.#remember(message);
    return message;
  }

  // These see what the open transaction has added and deleted, without writing it: a savepoint that is
  // rolled back would take it along.

  /** The messages with a key, oldest first. */
  withKey(key: string): readonly MessageRow[] {
    const written = this.#sql.withKey.all<MessageRow>(key);
    return this.#present(
      written,
      this.#added.filter(({ row }) => row.key === key),
    );
  }

  /** The messages that enter their lanes after one instant and up to another, in that order. */
  entering(after: number, upTo: number): readonly IndexRow[] {
    const enters = ({ row: { enters_at: at } }: NewRow) => at !== null && at > after && at <= upTo;
    const rows = this.#present(
      this.#sql.entering.all<IndexRow>(after, upTo),
      this.#added.filter(enters),
    );
    return rows.toSorted((a, b) => Number(a.enters_at) - Number(b.enters_at) || a.id - b.id);
  }

  /** When the first message after this instant enters its lane; `Infinity`: none does. */
  firstEntry(after: number): number {
    const written = this.#sql.firstEntry.get<{ at: number | null }>(after)?.at;
    const earlier = (at: number, { row: { enters_at: other } }: NewRow) =>
      other !== null && other > after ? Math.min(at, other) : at;
    return this.#added.reduce(earlier, written ?? Number.POSITIVE_INFINITY);
  }

  #present<Row extends IndexRow>(written: readonly Row[], added: readonly NewRow[]): Row[] {
    const left = new Set(this.#left);
    const all = [...written, ...added.map(({ row }) => row as unknown as Row)];
    return left.size === 0 ? all : all.filter(({ id }) => !left.has(id));
  }

  /** How many messages enter their lanes after this instant, by pool; of what is written. */
  delayedAfter(after: number): ReadonlyMap<Pool, number> {
    const rows = this.#sql.delayed.all<{ pool: Pool; count: number }>(after);
    return new Map(rows.map(({ count, pool }) => [pool, count]));
  }

  /** A part of the messages that enter their lanes after this instant, in that order; of what is written. */
  listAfter(after: number, { limit, offset, type }: DelayedRequest): readonly MessageRow[] {
    return this.#sql.list.all<MessageRow>(after, type ?? null, limit, offset);
  }

  /** The messages with these ids, as far as they exist, of what is written. */
  withIds(ids: readonly number[]): readonly IndexRow[] {
    return this.#sql.withIds.all<IndexRow>(JSON.stringify(ids));
  }

  /** Forgets a message that a worker has now, or that is no longer what its row says. */
  forget(id: number): void {
    const known = this.#fresh.get(id);
    if (!known) return;
    this.#fresh.delete(id);
    this.#freshLength -= known.payload.length + rowLength;
  }

  /** Changes everything in which this row differs from the table, except its payload. */
  update(row: MessageRow): void {
    const { attempts, available_at, deaths, errors, flood_scope, id, lane } = row;
    this.#sql.update.run(lane, available_at, attempts, errors, deaths, flood_scope, id);
    this.forget(id);
  }

  /** Changes when a message that waits becomes available. */
  delay(id: number, availableAt: number): void {
    this.flush();
    this.#sql.delay.run(availableAt, id);
    this.forget(id);
  }

  /** Lets a message enter its lane at this instant. */
  enterAt(id: number, at: number): void {
    this.flush();
    this.#sql.enter.run(at, id);
    this.forget(id);
  }

  /** @param payload The new payload as JSON text. */
  readdress(row: MessageRow, payload: string): void {
    this.#sql.readdress.run(this.#seal(row, payload), row.id);
  }

  /** The sealed payload, to be moved to another table. */
  sealed(row: MessageRow): Uint8Array {
    const found = this.#sql.payload.get<{ payload: Uint8Array }>(row.id);
    if (!found) throw new Error(`message ${row.id} is not in its table`);
    // A key rotation may already have passed the table it goes to, so its seal is renewed here.
    return this.#ring.renew(found.payload, places.payload(row));
  }

  #seal(row: MessageRow, payload: string): Uint8Array {
    return this.#ring.seal(payload, places.payload(row));
  }

  delete(id: number): void {
    this.#left.push(id);
  }

  /** Writes what was added and deleted. */
  flush(): void {
    const added = this.#added;
    const left = this.#left;
    this.#added = [];
    this.#left = [];
    for (let from = 0; from < added.length; ) {
      const rows = Math.min(rowsMax, 2 ** Math.floor(Math.log2(added.length - from)));
      const values: SqlValue[] = [];
      for (const { row, sealed } of added.slice(from, from + rows)) {
        for (const name of messageColumns) values.push(row[name as keyof MessageRow]);
        values.push(sealed);
      }
      this.#insert(rows).run(...values);
      from += rows;
    }
    if (left.length > 0) this.#sql.delete.run(JSON.stringify(left));
  }

  /** Forgets what a transaction that failed has added and deleted. */
  reset(): void {
    this.#added = [];
    this.#left = [];
    this.#fresh.clear();
    this.#freshLength = 0;
  }

  /** Reads all messages in the order of their ids, some at a time. */
  *scan(): Iterable<IndexRow> {
    for (let lastId = 0; ; ) {
      const rows = this.#sql.after.all<IndexRow>(lastId);
      yield* rows;
      if (rows.length === 0) return;
      lastId = rows.at(-1)?.id ?? 0;
    }
  }
}

/** The part of a row that decides when its turn comes. */
export type IndexRow = Pick<
  MessageRow,
  | "id"
  | "pool"
  | "lane"
  | "priority"
  | "created_at"
  | "available_at"
  | "deaths"
  | "attempts"
  | "replaces"
  | "enters_at"
>;
