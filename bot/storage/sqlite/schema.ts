/**
 * Schema: defines the tables as numbered migrations; new ones are only appended.
 *
 * - `messages`: only live messages; finished ones are deleted. One that was delayed enters its lane at
 *   `enters_at`, and keeps that instant for the order after a restart.
 * - `in_hand`: for each pool the messages being worked on, of which a death must be counted. It may name
 *   messages that are done; their ids are never used again.
 * - `parks`: until when no message of a lane starts, even if none is waiting now.
 * - `dead_letters`, `steps` (results of durable steps), `dedupe`, `sent` (flood windows), `unreachable_chats`,
 *   `settings`, `boots`, `data_keys`, `table_set_migrations` (what table-sets.ts has done),
 *   `message_references` and `message_files` (link-tables.ts).
 *
 * Payloads and results are sealed (sealed-columns.ts) and stored as BLOBs, whatever their column
 * says.
 */
import { StorageCorruptError, StorageUnavailableError } from "../../core/errors.ts";
import type { PreviousEnd } from "../../core/store.ts";
import type { SealedColumn } from "../../core/transaction.ts";
import { movedFact, refuseMoved } from "../moved-mark.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { type PassPosition, passBegins, sealBatch } from "./sealed-columns.ts";
import type { Database } from "./sqlite-driver.ts";

/** Marks a file header as ours ("TGFT"). Source: sqlite.org/pragma.html#pragma_application_id. */
export const applicationId = 0x54474654;

/**
 * Stays in the table `settings` until no plain text from before sealing is left: "maybe" until the
 * tables were checked, "erase" once values were sealed and their plain text is in free pages.
 */
const plainFact = "storage.plain";

const migrations: readonly string[] = [
  `
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    pool TEXT NOT NULL,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    expires_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    claims INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    origin INTEGER,
    ambiguous TEXT NOT NULL,
    flood_scope TEXT,
    flood_cost INTEGER NOT NULL,
    errors TEXT NOT NULL DEFAULT '[]'
  );
  CREATE INDEX messages_of_lane ON messages (lane, pool, id);

  CREATE TABLE lanes (
    lane TEXT NOT NULL,
    pool TEXT NOT NULL,
    head_id INTEGER,
    high INTEGER NOT NULL,
    normal INTEGER NOT NULL,
    low INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL DEFAULT 0,
    busy INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, pool)
  ) WITHOUT ROWID;
  CREATE INDEX lanes_ready ON lanes (pool, priority, available_at, head_id)
    WHERE busy = 0 AND head_id IS NOT NULL;
  CREATE INDEX lanes_suspect ON lanes (pool, deaths, head_id) WHERE deaths > 0;
  CREATE INDEX lanes_busy ON lanes (head_id) WHERE busy = 1;
  CREATE INDEX lanes_empty ON lanes (not_before) WHERE head_id IS NULL;

  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    pool TEXT NOT NULL,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    died_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    deaths INTEGER NOT NULL,
    origin INTEGER,
    ambiguous TEXT NOT NULL,
    flood_scope TEXT,
    flood_cost INTEGER NOT NULL,
    errors TEXT NOT NULL
  );
  CREATE INDEX dead_letters_by_age ON dead_letters (died_at);

  CREATE TABLE steps (
    origin INTEGER NOT NULL,
    name TEXT NOT NULL,
    result TEXT NOT NULL,
    PRIMARY KEY (origin, name)
  ) WITHOUT ROWID;

  CREATE TABLE dedupe (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX dedupe_by_age ON dedupe (expires_at);

  CREATE TABLE sent (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, cost INTEGER NOT NULL, at INTEGER NOT NULL);
  CREATE INDEX sent_by_age ON sent (at);

  CREATE TABLE unreachable_chats (
    chat TEXT PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE boots (id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER);
  `,
  `
  CREATE TABLE data_keys (id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL, created_at INTEGER NOT NULL);
  INSERT INTO settings VALUES ('${plainFact}', 'maybe');
  `,
  `
  CREATE TABLE table_set_migrations (
    table_set TEXT NOT NULL, version INTEGER NOT NULL, applied_at INTEGER NOT NULL,
    PRIMARY KEY (table_set, version)
  ) WITHOUT ROWID;
  `,
  // The order of the messages is kept in memory from here on.
  `
  ALTER TABLE messages ADD COLUMN replaces TEXT;
  CREATE TABLE in_hand (pool TEXT PRIMARY KEY, ids TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE parks (
    lane TEXT NOT NULL, pool TEXT NOT NULL, not_before INTEGER NOT NULL, PRIMARY KEY (lane, pool)
  ) WITHOUT ROWID;
  INSERT INTO in_hand SELECT pool, json_group_array(head_id) FROM lanes WHERE busy = 1 GROUP BY pool;
  INSERT INTO parks SELECT lane, pool, not_before FROM lanes WHERE not_before > 0;
  UPDATE messages SET available_at = lanes.available_at FROM lanes WHERE lanes.head_id = messages.id;
  DROP TABLE lanes;
  DROP INDEX messages_of_lane;
  ALTER TABLE messages DROP COLUMN claims;
  `,
  `
  CREATE TABLE message_references (
    id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, position INTEGER NOT NULL,
    telegram_id INTEGER, at INTEGER NOT NULL
  );
  CREATE INDEX message_references_of ON message_references (owner, position);
  CREATE INDEX message_references_by_age ON message_references (at);
  CREATE TABLE message_files (
    owner INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, name)
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE messages ADD COLUMN enters_at INTEGER;
  ALTER TABLE messages ADD COLUMN key TEXT;
  ALTER TABLE dead_letters ADD COLUMN key TEXT;
  CREATE INDEX messages_by_entry ON messages (enters_at) WHERE enters_at IS NOT NULL;
  CREATE INDEX messages_by_key ON messages (key) WHERE key IS NOT NULL;
  CREATE INDEX dead_letters_by_key ON dead_letters (key) WHERE key IS NOT NULL;
  `,
];

/**
 * Checks whether an existing file may be written to.
 *
 * @param database Opened read-only, so that a foreign file is not changed.
 * @returns how the last process that used it ended; "first" also when that process was killed before
 *   it committed the first migration, because the file is still empty then.
 */
export function inspectDatabase(database: Database, path: string): PreviousEnd {
  const id = database.prepare("PRAGMA application_id").get<{ application_id: number }>();
  if (id?.application_id === 0 && !hasTable(database)) return "first";
  if (id?.application_id !== applicationId) {
    throw new StorageCorruptError(`${path} is not a database of this bot`, {
      hint: "Nothing was overwritten. Set DATA_DIR to another directory, or move the file away.",
    });
  }
  const version = schemaVersion(database);
  if (version > migrations.length) {
    throw new StorageUnavailableError(
      `${path} has schema ${version}, this program knows up to ${migrations.length}`,
      { hint: "It was written by a newer version. Install that version again." },
    );
  }
  if (version === 0) return "first";
  const last = database
    .prepare("SELECT ended_at FROM boots ORDER BY id DESC LIMIT 1")
    .get<{ ended_at: number | null }>();
  return last?.ended_at === null ? "unclean" : "clean";
}

/** @throws {StorageMovedError} when the data of this file are elsewhere. */
export function refuseMovedFile(database: Database, path: string): void {
  refuseMoved(factOf(database, movedFact), path);
}

/** A fact of a file that no bot has open. */
export function factOf(database: Database, name: string): string | undefined {
  if (!hasTable(database, "settings")) return undefined;
  return database.prepare("SELECT value FROM settings WHERE name = ?").get<{ value: string }>(name)
    ?.value;
}

/** Runs SQLite's own check. Throws `StorageCorruptError` with its first finding. */
export function checkIntegrity(database: Database, path: string): void {
  const rows = database.prepare("PRAGMA quick_check(1)").all<{ quick_check: string }>();
  const finding = rows[0]?.quick_check;
  if (finding === "ok") return;
  throw new StorageCorruptError(`${path} is damaged: ${finding}`, {
    hint: "Nothing was overwritten. Move the file away and restore a backup.",
  });
}

/** Configures the file for durability. Must run before the first table exists. */
export function configureDatabase(database: Database): void {
  database.exec("PRAGMA auto_vacuum = INCREMENTAL");
  database.exec("PRAGMA journal_mode = WAL");
  // While the file is opened every commit syncs; afterwards the group sync does (group-sync.ts).
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA foreign_keys = ON");
  // Deleted content is overwritten where that writes no additional page.
  database.exec("PRAGMA secure_delete = FAST");
  database.exec("PRAGMA cache_size = -16000");
  database.exec("PRAGMA journal_size_limit = 67108864");
  // A checkpoint holds up the event loop with two syncs; by default there is one every 1000 pages.
  database.exec("PRAGMA wal_autocheckpoint = 4000");
}

/** Brings the file to the newest schema, with one transaction per migration. */
export function migrate(database: Database, nowEpochMs: number): void {
  database.exec(`PRAGMA application_id = ${applicationId}`);
  database.exec(
    "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL)",
  );
  for (let version = schemaVersion(database) + 1; version <= migrations.length; version++) {
    database.exec("BEGIN IMMEDIATE");
    database.exec(migrations[version - 1] as string);
    database.prepare("INSERT INTO migrations VALUES (?, ?)").run(version, nowEpochMs);
    database.exec("COMMIT");
  }
}

/** How many rows `sealPlainValues` seals in one transaction. */
const rowsPerTransaction = 1000;

/**
 * Seals values that an older version stored in plain text, and erases their remains from the file.
 * It may be interrupted at any point; the next start continues.
 */
export function sealPlainValues(
  database: Database,
  ring: KeyRing,
  columns: readonly SealedColumn[],
): void {
  const find = database.prepare("SELECT value FROM settings WHERE name = ?");
  const mark = database.prepare("UPDATE settings SET value = 'erase' WHERE name = ?");
  if (!find.get(plainFact)) return;
  let position: PassPosition | undefined = passBegins;
  while (position) {
    database.exec("BEGIN IMMEDIATE");
    const batch = sealBatch(database, ring, columns, position, rowsPerTransaction);
    if (batch.sealed > 0) mark.run(plainFact);
    database.exec("COMMIT");
    position = batch.next;
  }
  if (find.get<{ value: string }>(plainFact)?.value === "erase") {
    database.exec("VACUUM");
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  database.prepare("DELETE FROM settings WHERE name = ?").run(plainFact);
}

function schemaVersion(database: Database): number {
  if (!hasTable(database, "migrations")) return 0;
  const row = database
    .prepare("SELECT COALESCE(MAX(version), 0) AS version FROM migrations")
    .get<{ version: number }>();
  return row?.version ?? 0;
}

/** @param name Default: any. */
function hasTable(database: Database, name?: string): boolean {
  const tables = database.prepare("SELECT name FROM sqlite_schema").all<{ name: string }>();
  return name === undefined ? tables.length > 0 : tables.some((table) => table.name === name);
}
