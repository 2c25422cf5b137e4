/** Row reader: reads a database that a bot may be writing to, and decrypts payloads. */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import type { SqlValue } from "../../core/transaction.ts";
import { readDataKeys } from "./data-keys.ts";
import { places } from "./sealed-columns.ts";
import { type Database, openNodeSqlite } from "./sqlite-driver.ts";

type SealedRow = { readonly id: number; readonly origin: number | null; readonly payload: unknown };

export class RowReader {
  readonly #database: Database;
  readonly #keys: EncryptionKeys;

  /** @param path The database, which is only read. @throws {BotError} a `Storage…Error`. */
  constructor(path: string, keys: EncryptionKeys) {
    this.#database = openNodeSqlite(path, { readOnly: true });
    this.#keys = keys;
  }

  /**
   * Returns rows with `payload` as JSON text. A query for payloads must also select `id` and
   * `origin`.
   *
   * @throws {BotError} a `Storage…Error`, or `EncryptionKeyError` when the key does not fit.
   */
  all<Row extends object>(sql: string, ...parameters: SqlValue[]): Row[] {
    const rows = this.#database.prepare(sql).all<Row>(...parameters);
    if (!rows.some((row) => "payload" in row)) return rows;
    const ring = readDataKeys(this.#database, this.#keys);
    return rows.map((row) => {
      const sealed = row as unknown as SealedRow;
      if (!(sealed.payload instanceof Uint8Array)) return row;
      return { ...row, payload: ring.open(sealed.payload, places.payload(sealed)) };
    });
  }

  close(): void {
    this.#database.close();
  }
}
