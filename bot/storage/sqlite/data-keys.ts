/**
 * Data keys: stores the keys that seal this store's rows, sealed with the operator's encryption
 * key.
 *
 * Opening them first reveals a wrong encryption key before anything is written.
 */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { KeyRing } from "../sealing/key-ring.ts";
import type { SealingKey } from "../sealing/sealing-key.ts";
import {
  type DataKeyRow,
  missingKey,
  newDataKey,
  sealingKey,
  unwrapAll,
  wrap,
} from "../sealing/wrapped-keys.ts";
import type { Database } from "./sqlite-driver.ts";

/**
 * Reads the key ring of a database that is not written to; empty when it is older than data keys.
 *
 * @throws {EncryptionKeyError} when the encryption key does not fit.
 */
export function readDataKeys(database: Database, keys: EncryptionKeys): KeyRing {
  const ring = new KeyRing();
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'data_keys'").get();
  const rows = table ? listKeys(database) : [];
  if (rows.length === 0) return ring;
  for (const { bytes, id } of unwrapAll(rows, keys).opened) ring.add(id, bytes);
  return ring;
}

/**
 * Opens the data keys, creates the first one in a store without any, and seals them again when the
 * encryption key has changed.
 *
 * @returns the ring, and whether the keys were sealed again.
 */
export function openDataKeys(database: Database, keys: EncryptionKeys, nowEpochMs: number) {
  const rows = listKeys(database);
  const ring = new KeyRing();
  if (rows.length === 0) {
    const encryptionKey = sealingKey(keys.find() ?? keys.create());
    insertKey(database, ring, 1, encryptionKey, nowEpochMs)();
    return { ring, rewrapped: false };
  }
  const { encryptionKey, opened } = unwrapAll(rows, keys);
  const stale = opened.filter(({ current }) => !current);
  database.exec("BEGIN IMMEDIATE");
  const update = database.prepare("UPDATE data_keys SET wrapped = ? WHERE id = ?");
  for (const { bytes, id } of stale) update.run(wrap(encryptionKey, bytes, id), id);
  database.exec("COMMIT");
  for (const { bytes, id } of opened) ring.add(id, bytes);
  return { ring, rewrapped: stale.length > 0 };
}

/**
 * Writes a new data key, which must not seal before its transaction is on disk.
 *
 * @returns a function that makes it the sealing key.
 */
export function addDataKey(
  database: Database,
  ring: KeyRing,
  keys: EncryptionKeys,
  nowEpochMs: number,
): () => number {
  const encryptionKey = keys.find();
  if (!encryptionKey) throw missingKey();
  const id = ring.currentId + 1;
  const use = insertKey(database, ring, id, sealingKey(encryptionKey), nowEpochMs);
  return () => {
    use();
    return id;
  };
}

/** Removes the keys older than this one; nothing is sealed with them any more. */
export function dropDataKeys(database: Database, beforeId: number): void {
  database.prepare("DELETE FROM data_keys WHERE id < ?").run(beforeId);
}

function insertKey(
  database: Database,
  ring: KeyRing,
  id: number,
  encryptionKey: SealingKey,
  nowEpochMs: number,
): () => void {
  const bytes = newDataKey();
  database
    .prepare("INSERT INTO data_keys (id, wrapped, created_at) VALUES (?, ?, ?)")
    .run(id, wrap(encryptionKey, bytes, id), nowEpochMs);
  return () => ring.add(id, bytes);
}

function listKeys(database: Database): DataKeyRow[] {
  return database.prepare("SELECT id, wrapped FROM data_keys ORDER BY id").all<DataKeyRow>();
}
