/**
 * Database copy: copies a database of this bot into one verified file that needs no journal.
 *
 * `VACUUM INTO` from a separate read-only connection reads one snapshot, however much the bot
 * writes meanwhile, and delays no writer. It is synchronous and takes a second or more for 270 MB
 * (measured; the checks before and after are half of it), so a running bot leaves it to a worker
 * thread. The longest commit meanwhile took 0.1 to 0.4 s, because the disk is shared.
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { StorageCorruptError } from "../../core/errors.ts";
import { syncPath } from "../../core/sync-path.ts";
import { checkIntegrity, inspectDatabase } from "./schema.ts";
import type { OpenDatabase } from "./sqlite-driver.ts";

/** The suffix of an unfinished copy. */
export const unfinishedSuffix = ".part";

/**
 * Copies `from` to `to`, which gets its name only when it is whole, checked and on disk. An
 * existing file is replaced in one step.
 *
 * @throws {BotError} a `Storage…Error` when `from` is not ours, is damaged, or the disk refuses.
 */
export function copyDatabase(from: string, to: string, open: OpenDatabase): void {
  const unfinished = `${to}${unfinishedSuffix}`;
  try {
    // The file is made first, because SQLite would make it readable for all users.
    writeFileSync(unfinished, "", { mode: 0o600 });
    readChecked(from, open, (source) => source.prepare("VACUUM INTO ?").run(unfinished));
    readChecked(unfinished, open, () => {});
    syncPath(unfinished);
    renameSync(unfinished, to);
    syncPath(dirname(to));
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** Opens a file read-only, checks that it is ours and undamaged, and reads it. */
export function readChecked(
  path: string,
  open: OpenDatabase,
  read: (database: ReturnType<OpenDatabase>) => void,
): void {
  const database = open(path, { readOnly: true });
  try {
    if (inspectDatabase(database, path) === "first") {
      throw new StorageCorruptError(`${path} holds no data yet`, {
        hint: "Nothing was changed. Name another file.",
      });
    }
    checkIntegrity(database, path);
    read(database);
  } finally {
    database.close();
  }
}
