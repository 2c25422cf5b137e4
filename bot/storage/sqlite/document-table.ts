/** Document table: keeps `tx.documents`, on every engine. */
import {
  checkCollection,
  checkKey,
  type Documents,
  documentText,
  expiryOf,
  listRequest,
} from "../../core/documents.ts";
import type { Awaitable, Sealer, Sql, TableSet } from "../../core/transaction.ts";

export interface DocumentTable {
  /** The documents as they are at this instant: what has expired is not there. */
  at(nowEpochMs: number): Documents;
  /** Deletes up to 1000 documents that have expired. @returns how many. */
  sweep(nowEpochMs: number): Awaitable<number>;
}

interface Row {
  readonly key: string;
  readonly value: Uint8Array;
}

// A collection has no "|", so no two places are equal.
const placeOf = (collection: string, key: string) => `documents|value|${collection}|${key}`;

export const documentTables: TableSet<DocumentTable> = {
  name: "documents",
  migrations: [
    {
      sql: `
      CREATE TABLE documents (
        collection TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        expires_at INTEGER,
        PRIMARY KEY (collection, key)
      );
      CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL;
      `,
      // Keys are listed in the order of their bytes, as SQLite compares them.
      postgres: `
      CREATE TABLE documents (
        collection TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        value BYTEA NOT NULL,
        expires_at BIGINT,
        PRIMARY KEY (collection, key)
      );
      CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL;
      `,
    },
  ],
  sealedColumns: [
    {
      table: "documents",
      column: "value",
      key: ["collection", "key"],
      place: ([collection, key]) => placeOf(String(collection), String(key)),
    },
  ],
  open: openDocumentTable,
};

function openDocumentTable(database: Sql, sealer: Sealer): DocumentTable {
  const sql = prepare(database);
  const open = (collection: string, { key, value }: Row): unknown =>
    JSON.parse(sealer.open(value, placeOf(collection, key)));
  return {
    sweep: (nowEpochMs) => sql.sweep.run(nowEpochMs),
    at: (nowEpochMs) => ({
      get: async <T>(collection: string, key: string) => {
        check(collection, key);
        const row = await sql.find.get<Row>(collection, key, nowEpochMs);
        return row && (open(collection, row) as T);
      },
      put: async (collection, key, value, options = {}) => {
        check(collection, key);
        const text = documentText(collection, value);
        const expiresAt = expiryOf(options, nowEpochMs) ?? null;
        await sql.put.run(collection, key, sealer.seal(text, placeOf(collection, key)), expiresAt);
      },
      delete: async (collection, key) => {
        check(collection, key);
        return (await sql.delete.run(collection, key, nowEpochMs)) > 0;
      },
      list: async <T>(collection: string, options = {}) => {
        checkCollection(collection);
        const { after, limit, prefix } = listRequest(options);
        // Keys with one prefix stand together, so the list ends at the first one without it.
        const rows = await sql.list.all<Row>(collection, prefix, after ?? "", nowEpochMs, limit);
        const end = rows.findIndex(({ key }) => !key.startsWith(prefix));
        return rows.slice(0, end === -1 ? rows.length : end).map((row) => ({
          key: row.key,
          value: open(collection, row) as T,
        }));
      },
    }),
  };
}

function check(collection: string, key: string): void {
  checkCollection(collection);
  checkKey(key);
}

function prepare(database: Sql) {
  const sql = (text: string) => database.prepare(text);
  const alive = "(expires_at IS NULL OR expires_at > ?)";
  return {
    find: sql(`SELECT key, value FROM documents WHERE collection = ? AND key = ? AND ${alive}`),
    put: sql(
      `INSERT INTO documents (collection, key, value, expires_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (collection, key)
       DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
    ),
    delete: sql(`DELETE FROM documents WHERE collection = ? AND key = ? AND ${alive}`),
    list: sql(
      `SELECT key, value FROM documents WHERE collection = ? AND key >= ? AND key > ? AND ${alive}
       ORDER BY key LIMIT ?`,
    ),
    sweep: sql(
      `DELETE FROM documents WHERE (collection, key) IN
       (SELECT collection, key FROM documents WHERE expires_at <= ? LIMIT 1000)`,
    ),
  };
}
