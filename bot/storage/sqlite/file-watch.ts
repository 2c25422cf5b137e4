/**
 * File watch: notices that a database's files were removed or replaced while they were open.
 *
 * SQLite goes on writing into a file that no longer has a name, and reports nothing. One look at three
 * files takes some microseconds, far less than the commit that it follows.
 */
import { StorageUnavailableError } from "../../core/errors.ts";
import { identityOf } from "../../core/file-identity.ts";

/**
 * Remembers the database and the lock that are at these paths now.
 *
 * @returns a function that throws `StorageUnavailableError` when one of them, or the database's journal, is
 *   there no more.
 */
export function watchFiles(database: string, lock: string): () => void {
  const journal = `${database}-wal`;
  const known = new Map([database, lock].map((file) => [file, identityOf(file)]));
  return () => {
    for (const file of [database, journal, lock]) {
      const now = identityOf(file);
      const before = known.get(file);
      // The journal appears with the first write.
      if (before === undefined) known.set(file, now);
      else if (now !== before) {
        throw new StorageUnavailableError(`${file} was removed or replaced while the bot ran`, {
          hint:
            "Nothing more was taken in. Put DATA_DIR back as it was, or restore a backup with " +
            "npm run restore, and start the bot again.",
        });
      }
    }
  };
}
