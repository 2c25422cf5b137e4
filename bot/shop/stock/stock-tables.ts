/** Stock tables: how many of a product are left, who has taken one, and the codes of digital goods. */
import type { Sealer, Sql, TableSet, Transaction } from "../../core/transaction.ts";

export interface StockRow {
  /** Never below zero: the table refuses it. */
  readonly left: number;
  /** The number in the catalogue file that was applied last; null when there was none. */
  readonly fileCount: number | null;
}

export interface StockTables {
  findStock(sku: string): Promise<StockRow | undefined>;
  setStock(sku: string, row: StockRow): Promise<void>;
  /** Takes one for an order. @returns false when none is left. */
  takeOne(sku: string, orderId: number): Promise<boolean>;
  /** Puts back what an order has taken, once. @returns false when it has nothing any more. */
  putBack(orderId: number): Promise<boolean>;
  /** Adds a code. @returns false when this product has had it before. */
  addCode(sku: string, code: string, addedAtEpochMs: number): Promise<boolean>;
  /** Whether the product ever had codes. */
  hasCodes(sku: string): Promise<boolean>;
  countFreeCodes(sku: string): Promise<number>;
  /** Gives the oldest free code to an order, for good. @returns `undefined` when none is left. */
  giveCode(sku: string, orderId: number, givenAtEpochMs: number): Promise<string | undefined>;
  codeOfOrder(orderId: number): Promise<string | undefined>;
}

export function stockOf(tx: Transaction): StockTables {
  return tx.tables(stockTables);
}

/** Lets no other transaction take or set what is left of a product until this one ends. */
export function lockStock(tx: Transaction, sku: string): Promise<void> {
  return tx.lock(`stock:${sku}`);
}

/** Lets no other transaction add codes until this one ends. Comes before the first is added. */
export function lockCodes(tx: Transaction): Promise<void> {
  return tx.lock("codes");
}

const codeIndex = "codes|code_index";
const placeOf = (id: number) => `codes|code|${id}`;

export const stockTables: TableSet<StockTables> = {
  name: "shop-stock",
  migrations: [
    {
      sql: `
      CREATE TABLE stock (
        sku TEXT PRIMARY KEY,
        left_count INTEGER NOT NULL CHECK (left_count >= 0),
        file_count INTEGER
      ) WITHOUT ROWID;
      CREATE TABLE stock_taken (order_id INTEGER PRIMARY KEY, sku TEXT NOT NULL);
      CREATE TABLE codes (
        id INTEGER PRIMARY KEY,
        sku TEXT NOT NULL,
        code BLOB NOT NULL,
        code_index BLOB,
        added_at INTEGER NOT NULL,
        order_id INTEGER UNIQUE,
        given_at INTEGER
      );
      CREATE INDEX codes_free ON codes (sku, id) WHERE order_id IS NULL;
      CREATE INDEX codes_of_sku ON codes (sku);
      CREATE INDEX codes_by_text ON codes (code_index);
      CREATE TRIGGER codes_are_given_once BEFORE UPDATE OF order_id ON codes WHEN OLD.order_id IS NOT NULL
        BEGIN SELECT RAISE(ABORT, 'a code is given once'); END;
      CREATE TRIGGER codes_are_kept BEFORE DELETE ON codes
        BEGIN SELECT RAISE(ABORT, 'codes are kept'); END;
      `,
      postgres: `
      CREATE TABLE stock (
        sku TEXT PRIMARY KEY,
        left_count BIGINT NOT NULL CHECK (left_count >= 0),
        file_count BIGINT
      );
      CREATE TABLE stock_taken (order_id BIGINT PRIMARY KEY, sku TEXT NOT NULL);
      CREATE TABLE codes (
        id BIGINT PRIMARY KEY,
        sku TEXT NOT NULL,
        code BYTEA NOT NULL,
        code_index BYTEA,
        added_at BIGINT NOT NULL,
        order_id BIGINT UNIQUE,
        given_at BIGINT
      );
      CREATE INDEX codes_free ON codes (sku, id) WHERE order_id IS NULL;
      CREATE INDEX codes_of_sku ON codes (sku);
      CREATE INDEX codes_by_text ON codes (code_index);
      CREATE FUNCTION codes_are_given_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'a code is given once'; END $$;
      CREATE TRIGGER codes_are_given_once BEFORE UPDATE OF order_id ON codes
        FOR EACH ROW WHEN (OLD.order_id IS NOT NULL) EXECUTE FUNCTION codes_are_given_once();
      CREATE FUNCTION codes_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'codes are kept'; END $$;
      CREATE TRIGGER codes_are_kept BEFORE DELETE ON codes
        FOR EACH STATEMENT EXECUTE FUNCTION codes_are_kept();
      `,
    },
  ],
  sealedColumns: [
    {
      table: "codes",
      column: "code",
      key: ["id"],
      place: ([id]) => placeOf(Number(id)),
      index: { column: "code_index", name: codeIndex, of: (code) => code },
    },
  ],
  amounts: [{ table: "stock", column: "left_count" }],
  open: openStockTables,
};

interface CodeRow {
  readonly id: number;
  readonly code: Uint8Array;
}

function openStockTables(database: Sql, sealer: Sealer): StockTables {
  const sql = prepare(database);
  const open = (row: CodeRow | undefined) => row && sealer.open(row.code, placeOf(row.id));
  const isKnown = async (sku: string, code: string) => {
    for (const index of sealer.indexes(code, codeIndex)) {
      if ((await sql.findCode.get(index, sku)) !== undefined) return true;
    }
    return false;
  };
  return {
    findStock: async (sku) => {
      const row = await sql.findStock.get<{ left_count: number; file_count: number | null }>(sku);
      return row && { left: row.left_count, fileCount: row.file_count };
    },
    setStock: async (sku, { fileCount, left }) => {
      await sql.setStock.run(sku, left, fileCount);
    },
    takeOne: async (sku, orderId) => {
      if ((await sql.take.run(sku)) === 0) return false;
      await sql.noteTaken.run(orderId, sku);
      return true;
    },
    putBack: async (orderId) => {
      const taken = await sql.findTaken.get<{ sku: string }>(orderId);
      if (!taken) return false;
      await sql.deleteTaken.run(orderId);
      return (await sql.putBack.run(taken.sku)) > 0;
    },
    addCode: async (sku, code, addedAtEpochMs) => {
      if (await isKnown(sku, code)) return false;
      const id = ((await sql.lastCode.get<{ id: number | null }>())?.id ?? 0) + 1;
      const [index] = sealer.indexes(code, codeIndex);
      await sql.addCode.run(id, sku, sealer.seal(code, placeOf(id)), index ?? null, addedAtEpochMs);
      return true;
    },
    hasCodes: async (sku) => (await sql.anyCode.get(sku)) !== undefined,
    countFreeCodes: async (sku) => (await sql.countFree.get<{ count: number }>(sku))?.count ?? 0,
    giveCode: async (sku, orderId, givenAtEpochMs) => {
      const row = await sql.firstFree.get<CodeRow>(sku);
      if (row) await sql.give.run(orderId, givenAtEpochMs, row.id);
      return open(row);
    },
    codeOfOrder: async (orderId) => open(await sql.ofOrder.get<CodeRow>(orderId)),
  };
}

function prepare(database: Sql) {
  const sql = (text: string) => database.prepare(text);
  return {
    findStock: sql("SELECT left_count, file_count FROM stock WHERE sku = ?"),
    setStock: sql(
      `INSERT INTO stock (sku, left_count, file_count) VALUES (?, ?, ?)
       ON CONFLICT (sku) DO UPDATE SET left_count = excluded.left_count, file_count = excluded.file_count`,
    ),
    take: sql("UPDATE stock SET left_count = left_count - 1 WHERE sku = ? AND left_count > 0"),
    noteTaken: sql("INSERT INTO stock_taken (order_id, sku) VALUES (?, ?)"),
    findTaken: sql("SELECT sku FROM stock_taken WHERE order_id = ?"),
    deleteTaken: sql("DELETE FROM stock_taken WHERE order_id = ?"),
    putBack: sql("UPDATE stock SET left_count = left_count + 1 WHERE sku = ?"),
    findCode: sql("SELECT id FROM codes WHERE code_index = ? AND sku = ?"),
    lastCode: sql("SELECT max(id) AS id FROM codes"),
    addCode: sql("INSERT INTO codes (id, sku, code, code_index, added_at) VALUES (?, ?, ?, ?, ?)"),
    anyCode: sql("SELECT 1 AS one FROM codes WHERE sku = ? LIMIT 1"),
    countFree: sql("SELECT count(*) AS count FROM codes WHERE sku = ? AND order_id IS NULL"),
    firstFree: sql(
      "SELECT id, code FROM codes WHERE sku = ? AND order_id IS NULL ORDER BY id LIMIT 1",
    ),
    give: sql("UPDATE codes SET order_id = ?, given_at = ? WHERE id = ?"),
    ofOrder: sql("SELECT id, code FROM codes WHERE order_id = ?"),
  };
}
