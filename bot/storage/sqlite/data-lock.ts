/**
 * Data lock: admits one process per data directory, with a lock that ends with its process.
 *
 * The lock is an exclusive SQLite transaction on a separate file. The kernel releases it at any
 * death, SIGKILL included. It works on every platform and between containers that share the
 * directory.
 */
import { join } from "node:path";
import { StorageInUseError } from "../../core/errors.ts";
import type { Database, OpenDatabase } from "./sqlite-driver.ts";

/** Path of the lock in a data directory. */
export function lockPath(directory: string): string {
  return join(directory, "lock");
}

/** @returns the lock; close it to release it. Throws `StorageInUseError` when it is held. */
export function lockDataDirectory(directory: string, open: OpenDatabase): Database {
  const lock = open(lockPath(directory));
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!(error instanceof StorageInUseError)) throw error;
    throw new StorageInUseError(`another process holds ${directory}`, {
      cause: error,
      hint: "Stop the other bot first, or give this one its own DATA_DIR.",
    });
  }
}
