/** Table reader: reads a set of tables in a database that a bot may be writing to. */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import type { TableSet } from "../../core/transaction.ts";
import { readDataKeys } from "./data-keys.ts";
import { inspectDatabase, refuseMovedFile } from "./schema.ts";
import { openNodeSqlite } from "./sqlite-driver.ts";
import { inspectTableSets } from "./table-sets.ts";

/**
 * @param path The database, which is only read.
 * @throws {BotError} a `Storage…Error`, or `EncryptionKeyError` when the key does not fit.
 */
export async function readTables<Tables extends object, T>(
  path: string,
  keys: EncryptionKeys,
  set: TableSet<Tables>,
  read: (tables: Tables) => Promise<T>,
): Promise<T> {
  const database = openNodeSqlite(path, { readOnly: true });
  try {
    inspectDatabase(database, path);
    refuseMovedFile(database, path);
    inspectTableSets(database, [set], path);
    return await read(set.open(database, readDataKeys(database, keys)));
  } finally {
    database.close();
  }
}
