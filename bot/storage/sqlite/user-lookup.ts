/** User look-up: finds people by username in a database that a bot may be writing to. */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { readDataKeys } from "./data-keys.ts";
import { inspectDatabase } from "./schema.ts";
import { findByUsername } from "./shop-tables.ts";
import { openNodeSqlite } from "./sqlite-driver.ts";

/**
 * @param path Of the database; it is only read.
 * @throws {BotError} a `Storage…Error`, or `EncryptionKeyError` when the key does not open it.
 */
export function findUserIds(
  path: string,
  keys: EncryptionKeys,
  username: string,
): readonly number[] {
  const database = openNodeSqlite(path, { readOnly: true });
  try {
    inspectDatabase(database, path);
    return findByUsername(database, readDataKeys(database, keys), username);
  } finally {
    database.close();
  }
}
