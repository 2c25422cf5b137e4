/**
 * Data lock: one process per data directory, by a lock that dies with its process.
 *
 * An exclusive SQLite transaction on a file of its own: the kernel drops its lock at any death,
 * SIGKILL included, it works on every platform, and between containers that share the directory.
 */
import { join } from "node:path";
import { StorageInUseError } from "../../core/errors.ts";
import type { Database, OpenDatabase } from "./sqlite-driver.ts";

/** @returns the held lock; closing it lets go. Throws `StorageInUseError` when another holds it. */
export function lockDataDirectory(directory: string, open: OpenDatabase): Database {
  const lock = open(join(directory, "lock"));
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!(error instanceof StorageInUseError)) throw error;
    throw new StorageInUseError(`another process holds ${directory}`, {
      cause: error,
      hint: "Stop the other bot first, or give this one a DATA_DIR of its own.",
    });
  }
}
