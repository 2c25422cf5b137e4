/**
 * Restore: puts a backup in the place of the database, and keeps what it replaces beside it.
 *
 * Wherever it is interrupted, `bot.db` is either the old database or the restored one, each whole: the
 * old one's journal is folded into it before the backup takes its name in one step.
 */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BotError, StorageUnavailableError } from "../../core/errors.ts";
import { syncPath } from "../../core/sync-path.ts";
import { instantForName } from "./backup.ts";
import { lockDataDirectory } from "./data-lock.ts";
import { copyDatabase, readChecked } from "./database-copy.ts";
import { type OpenDatabase, openNodeSqlite } from "./sqlite-driver.ts";

export interface RestoreRequest {
  readonly directory: string;
  readonly file: string;
  readonly nowEpochMs: number;
}

/**
 * @returns where the replaced database is now; `undefined` when there was none.
 * @throws {BotError} `StorageInUseError` while a bot holds the directory, another `Storage…Error` when
 *   the file cannot be restored; then nothing was changed.
 */
export function restoreBackup(
  { directory, file, nowEpochMs }: RestoreRequest,
  open: OpenDatabase = openNodeSqlite,
): string | undefined {
  if (!existsSync(file)) {
    throw new StorageUnavailableError(`${file} does not exist`, {
      hint: "Name a file from the bot's directory of backups.",
    });
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = lockDataDirectory(directory, open);
  try {
    const database = join(directory, "bot.db");
    const restored = join(directory, "bot-restored.db");
    copyDatabase(file, restored, open);
    const kept = existsSync(database)
      ? setAside(database, join(directory, `bot-replaced-${instantForName(nowEpochMs)}.db`), open)
      : undefined;
    renameSync(restored, database);
    syncPath(directory);
    return kept;
  } finally {
    lock.close();
  }
}

/** Gives the database a second name, under which it stays. @returns that name. */
function setAside(database: string, keptAs: string, open: OpenDatabase): string {
  if (isWhole(database, open)) {
    const old = open(database);
    old.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    old.exec("PRAGMA journal_mode = DELETE");
    old.close();
  } else if (existsSync(`${database}-wal`)) {
    // A damaged one stays as it is, with its journal: it must never meet the restored file.
    renameSync(`${database}-wal`, `${keptAs}-wal`);
  }
  rmSync(`${database}-shm`, { force: true });
  linkSync(database, keptAs);
  return keptAs;
}

function isWhole(database: string, open: OpenDatabase): boolean {
  try {
    readChecked(database, open, () => {});
    return true;
  } catch (error) {
    if (error instanceof BotError) return false;
    throw error;
  }
}
