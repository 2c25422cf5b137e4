/**
 * Database copy: copies a database of this bot into one proved file that needs no journal.
 *
 * Proved: the copy is opened, checked, and has as many rows in every table as the snapshot it was
 * made from. A running bot's snapshot is one read transaction, in which the rows are counted and the
 * pages copied, however much the bot writes meanwhile; no writer is delayed. `VACUUM INTO` opens a
 * transaction of its own, so it can only be compared with a file that rests: it makes the copy
 * compact afterwards. All of it takes a few seconds for 270 MB, so a running bot leaves it to a
 * worker thread.
 */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BackupFailedError, StorageCorruptError } from "../../core/errors.ts";
import { syncPath } from "../../core/sync-path.ts";
import { checkIntegrity, inspectDatabase, refuseMovedFile } from "./schema.ts";
import type { CopiedDatabase, Database, OpenDatabase } from "./sqlite-driver.ts";

/** The suffix of an unfinished copy. */
export const unfinishedSuffix = ".part";

/** The number of rows of every table. */
type RowCounts = ReadonlyMap<string, number>;

/**
 * Copies `from`, which a bot may be writing to, to `to`. `to` gets its name only when it is whole,
 * proved and on disk; an existing file is replaced in one step. Needs room for two copies meanwhile.
 *
 * @throws {BotError} a `Storage…Error` when `from` is not ours, is damaged, or the disk refuses;
 *   `BackupFailedError` when the copy is not the same.
 */
export async function copyLiveDatabase(
  from: string,
  to: string,
  open: OpenDatabase<CopiedDatabase>,
): Promise<void> {
  const pages = `${to}.pages${unfinishedSuffix}`;
  try {
    const counts = await copySnapshot(from, pages, open);
    copyDatabase(pages, to, open, counts);
  } finally {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) {
      rmSync(`${pages}${suffix}`, { force: true });
    }
  }
}

/** Like `copyLiveDatabase`, but nothing may write to `from` meanwhile. @param counts Default: its own. */
export function copyDatabase(
  from: string,
  to: string,
  open: OpenDatabase,
  counts?: RowCounts,
): void {
  const unfinished = `${to}${unfinishedSuffix}`;
  try {
    // The file is made first, because SQLite would make it readable for all users.
    writeFileSync(unfinished, "", { mode: 0o600 });
    const expected = readChecked(from, open, (source) => {
      source.prepare("VACUUM INTO ?").run(unfinished);
      return counts ?? countRows(source);
    });
    expectSame(expected, readChecked(unfinished, open, countRows));
    syncPath(unfinished);
    renameSync(unfinished, to);
    syncPath(dirname(to));
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** @returns the number of rows that the copied snapshot has. */
async function copySnapshot(
  from: string,
  to: string,
  open: OpenDatabase<CopiedDatabase>,
): Promise<RowCounts> {
  rmSync(to, { force: true });
  writeFileSync(to, "", { mode: 0o600 });
  const source = open(from, { readOnly: true });
  let counts: RowCounts;
  try {
    expectOurs(source, from);
    refuseMovedFile(source, from);
    source.exec("BEGIN");
    counts = countRows(source);
    await source.copyPages(to);
    source.exec("COMMIT");
  } finally {
    source.close();
  }
  const copy = open(to);
  try {
    copy.exec("PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
  return counts;
}

function countRows(database: Database): RowCounts {
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
    .all<{ name: string }>();
  const counts = tables.map(({ name }) => {
    const quoted = name.replaceAll('"', '""');
    return `SELECT '${name.replaceAll("'", "''")}' AS name, count(*) AS rows FROM "${quoted}"`;
  });
  const counted = database
    .prepare(counts.join(" UNION ALL "))
    .all<{ name: string; rows: number }>();
  return new Map(counted.map(({ name, rows }) => [name, rows]));
}

function expectSame(expected: RowCounts, found: RowCounts): void {
  for (const table of new Set([...expected.keys(), ...found.keys()])) {
    const [rows, copied] = [expected.get(table), found.get(table)];
    if (rows === copied) continue;
    const difference = `${table} has ${rows ?? "no"} rows, and ${copied ?? "no"} in the copy`;
    throw new BackupFailedError(`the copy is not the same: ${difference}`, {
      hint: "Nothing was changed. Check the disk that holds the backups.",
    });
  }
}

/** Opens a file read-only, checks that it is ours and undamaged, and reads it. */
export function readChecked<T>(
  path: string,
  open: OpenDatabase,
  read: (database: Database) => T,
): T {
  const database = open(path, { readOnly: true });
  try {
    expectOurs(database, path);
    checkIntegrity(database, path);
    return read(database);
  } finally {
    database.close();
  }
}

function expectOurs(database: Database, path: string): void {
  if (inspectDatabase(database, path) !== "first") return;
  throw new StorageCorruptError(`${path} holds no data yet`, {
    hint: "Nothing was changed. Name another file.",
  });
}
