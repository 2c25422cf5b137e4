/** Row reader: reads a bot's schema beside its processes, and decrypts payloads. */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { Secret } from "../../core/secret.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { places } from "../sqlite/sealed-columns.ts";
import { Connection } from "./connection.ts";
import { readDataKeys } from "./data-keys.ts";

type SealedRow = { readonly id: number; readonly origin: number | null; readonly payload: unknown };

export interface ReadOptions {
  readonly url: string;
  /** The bot's schema. */
  readonly schema: string;
  readonly keys: EncryptionKeys;
}

export class RowReader {
  readonly #connection: Connection;
  readonly #ring: KeyRing;

  private constructor(connection: Connection, ring: KeyRing) {
    this.#connection = connection;
    this.#ring = ring;
  }

  /** @throws {BotError} a `Storage…Error`, or `EncryptionKeyError` when the key does not fit. */
  static async open({ keys, schema, url }: ReadOptions): Promise<RowReader> {
    const connection = await Connection.open({ url: new Secret(url), schema, settings: {} });
    try {
      return new RowReader(connection, await readDataKeys(connection, keys));
    } catch (error) {
      await connection.end();
      throw error;
    }
  }

  /**
   * Returns rows with `payload` as JSON text. A query for payloads must also select `id` and
   * `origin`.
   *
   * @throws {BotError} a `Storage…Error`.
   */
  async all<Row extends object>(sql: string): Promise<Row[]> {
    const rows = await this.#connection.all<Row>(sql);
    return rows.map((row) => {
      const sealed = row as unknown as SealedRow;
      if (!(sealed.payload instanceof Uint8Array)) return row;
      return { ...row, payload: this.#ring.open(sealed.payload, places.payload(sealed)) };
    });
  }

  async close(): Promise<void> {
    await this.#connection.end();
  }
}
