/**
 * Restore: replaces the database with a backup and keeps the replaced database beside it.
 *
 * Whenever it is interrupted, `bot.db` is either the whole old database or the whole restored one:
 * the old database's journal is folded into it before the backup takes its name in one step.
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
      hint: "Name a file from the bot's backup directory.",
    });
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = lockDataDirectory(directory, open);
  try {
    const database = join(directory, "bot.db");
    const restored = join(directory, "bot-restored.db");
    copyDatabase(file, restored, open);
    const kept = existsSync(database)
      ? setAside(database, keptName(directory, nowEpochMs), open)
      : undefined;
    renameSync(restored, database);
    syncPath(directory);
    return kept;
  } finally {
    lock.close();
  }
}

/** The name under which a database is kept that another one has replaced. */
export function keptName(directory: string, nowEpochMs: number): string {
  return join(directory, `bot-replaced-${instantForName(nowEpochMs)}.db`);
}

/** Gives the database a second name, under which it is kept. @returns that name. */
export function setAside(database: string, keptAs: string, open: OpenDatabase): string {
  if (isWhole(database, open)) {
    const old = open(database);
    old.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    old.exec("PRAGMA journal_mode = DELETE");
    old.close();
  } else if (existsSync(`${database}-wal`)) {
    // A damaged database keeps its journal, which must never be applied to the restored file.
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
