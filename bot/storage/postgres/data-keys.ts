/** Data keys: the keys that seal the rows, stored in the database under the operator's key. */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { KeyRing } from "../sealing/key-ring.ts";
import {
  type DataKeyRow,
  newDataKey,
  sealingKey,
  unwrapAll,
  wrap,
} from "../sealing/wrapped-keys.ts";
import type { Connection } from "./connection.ts";

/**
 * Reads the key ring for a program that writes nothing.
 *
 * @throws {EncryptionKeyError} when the encryption key does not fit.
 */
export async function readDataKeys(connection: Connection, keys: EncryptionKeys): Promise<KeyRing> {
  const ring = new KeyRing();
  const rows = await connection.all<DataKeyRow>("SELECT id, wrapped FROM data_keys ORDER BY id");
  for (const { bytes, id } of unwrapAll(rows, keys).opened) ring.add(id, bytes);
  return ring;
}

/**
 * Opens the data keys, creates the first one in a database without any, and seals them again when the
 * encryption key has changed.
 *
 * @returns the ring, and whether the keys were sealed again.
 * @throws {EncryptionKeyError} when the encryption key does not fit.
 */
export function openDataKeys(connection: Connection, keys: EncryptionKeys, nowEpochMs: number) {
  return connection.transaction(async () => {
    // Two processes must not both create the first key.
    await connection.exec("LOCK TABLE data_keys IN SHARE ROW EXCLUSIVE MODE");
    const rows = await connection.all<DataKeyRow>("SELECT id, wrapped FROM data_keys ORDER BY id");
    const ring = new KeyRing();
    if (rows.length === 0) {
      const bytes = newDataKey();
      const wrapped = wrap(sealingKey(keys.find() ?? keys.create()), bytes, 1);
      await connection.run("INSERT INTO data_keys VALUES (1, $1, $2)", [wrapped, nowEpochMs]);
      ring.add(1, bytes);
      return { ring, rewrapped: false };
    }
    const { encryptionKey, opened } = unwrapAll(rows, keys);
    const stale = opened.filter(({ current }) => !current);
    for (const { bytes, id } of stale) {
      const wrapped = wrap(encryptionKey, bytes, id);
      await connection.run("UPDATE data_keys SET wrapped = $1 WHERE id = $2", [wrapped, id]);
    }
    for (const { bytes, id } of opened) ring.add(id, bytes);
    return { ring, rewrapped: stale.length > 0 };
  });
}
