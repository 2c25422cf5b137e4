/**
 * Data keys: the keys that seal the rows, stored in the database under the operator's key.
 *
 * Several processes seal at the same time, so the database says which key does. A process reads the keys
 * when it enters and when it is told that they have changed. It forgets none before its end, because a
 * value that was sealed with an older one may be on its way to it.
 */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { StorageBusyError, StorageCorruptError } from "../../core/errors.ts";
import { KeyRing } from "../sealing/key-ring.ts";
import {
  type DataKeyRow,
  newDataKey,
  sealingKey,
  unwrapAll,
  wrap,
} from "../sealing/wrapped-keys.ts";
import { type Connection, StaleKeyError } from "./connection.ts";

/** No process enters while a key is made. */
export const lockKeysSql = "LOCK TABLE data_keys IN SHARE ROW EXCLUSIVE MODE";

const listSql = "SELECT id, wrapped, created_at, used_at FROM data_keys ORDER BY id";

/** A key's row in the table. */
export interface StoredKey extends DataKeyRow {
  readonly created_at: number;
  /** Since when it seals; `null`: not yet. */
  readonly used_at: number | null;
}

export class DataKeys {
  readonly ring = new KeyRing();
  readonly #keys: EncryptionKeys;
  /** When each key on the ring was made. A failover can lose a key, and then its id comes again. */
  readonly #madeAt = new Map<number, number>();
  #stored: readonly StoredKey[] = [];

  constructor(keys: EncryptionKeys) {
    this.#keys = keys;
  }

  /** The keys in the table, as they were last read; the oldest first. */
  get stored(): readonly StoredKey[] {
    return this.#stored;
  }

  /** The newest of them; 0 before they were read. */
  get newestId(): number {
    return this.#stored.at(-1)?.id ?? 0;
  }

  /**
   * Reads the keys, and seals with the newest of those that are in use.
   *
   * @throws {EncryptionKeyError} when the encryption key does not open one that is new here.
   */
  async load(connection: Connection): Promise<void> {
    const rows = await connection.all<StoredKey>(listSql);
    const fresh = rows.filter(({ created_at, id }) => this.#madeAt.get(id) !== created_at);
    for (const { bytes, id } of unwrapAll(fresh, this.#keys).opened) this.ring.keep(id, bytes);
    for (const { created_at, id } of fresh) this.#madeAt.set(id, created_at);
    const used = rows.findLast(({ used_at }) => used_at !== null);
    if (used) this.ring.use(used.id);
    this.#stored = rows;
  }

  /**
   * Runs `work`, which may open what is sealed. A key that was put to use while this process had no
   * session is unknown to it; then the keys are read, and the work has to be done again.
   *
   * @throws {StorageBusyError} for a value whose key was unknown until now.
   */
  async reading<T>(
    connection: Connection,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const known = this.newestId;
    try {
      return await work(connection);
    } catch (cause) {
      if (!(cause instanceof StorageCorruptError)) throw cause;
      await this.load(connection);
      if (this.newestId === known) throw cause;
      throw new StorageBusyError("a value is sealed with a key that was not known yet", { cause });
    }
  }

  /** Runs `work`, which may seal too, in a transaction that proves that its key still does. */
  async writing<T>(
    connection: Connection,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const first = `SELECT seals_1(${this.ring.currentId})`;
      try {
        return await this.reading(connection, () =>
          connection.transaction(() => work(connection), first),
        );
      } catch (error) {
        if (!(error instanceof StaleKeyError)) throw error;
        await this.load(connection);
      }
    }
  }
}

/**
 * Reads the key ring for a program that writes nothing.
 *
 * @throws {EncryptionKeyError} when the encryption key does not fit.
 */
export async function readDataKeys(connection: Connection, keys: EncryptionKeys): Promise<KeyRing> {
  const found = new DataKeys(keys);
  await found.load(connection);
  return found.ring;
}

/**
 * Creates the first data key in a database without any, and seals them all again when the encryption
 * key has changed.
 *
 * @returns whether they were sealed again.
 * @throws {EncryptionKeyError} when the encryption key does not fit.
 */
export function openDataKeys(
  connection: Connection,
  keys: EncryptionKeys,
  nowEpochMs: number,
): Promise<boolean> {
  return connection.transaction(async () => {
    // Two processes must not both create the first key.
    await connection.exec(lockKeysSql);
    const rows = await connection.all<StoredKey>(listSql);
    if (rows.length === 0) {
      const wrapped = wrap(sealingKey(keys.find() ?? keys.create()), newDataKey(), 1);
      await connection.run("INSERT INTO data_keys VALUES (1, $1, $2)", [wrapped, nowEpochMs]);
      return false;
    }
    const { encryptionKey, opened } = unwrapAll(rows, keys);
    const stale = opened.filter(({ current }) => !current);
    for (const { bytes, id } of stale) {
      const wrapped = wrap(encryptionKey, bytes, id);
      await connection.run("UPDATE data_keys SET wrapped = $1 WHERE id = $2", [wrapped, id]);
    }
    return stale.length > 0;
  });
}

/**
 * Makes the next data key, which is not in use yet. To be called under the lock of `lockKeysSql`.
 *
 * @returns its id.
 */
export async function addDataKey(
  connection: Connection,
  keys: EncryptionKeys,
  newestId: number,
  nowEpochMs: number,
): Promise<number> {
  const { encryptionKey } = unwrapAll([], keys);
  const id = newestId + 1;
  await connection.run("INSERT INTO data_keys VALUES ($1, $2, $3, NULL)", [
    ...[id, wrap(encryptionKey, newDataKey(), id), nowEpochMs],
  ]);
  return id;
}
