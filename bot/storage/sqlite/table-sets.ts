/**
 * Table sets: migrate and open the tables that the running module brings to the database.
 *
 * Each set counts its own migrations, so modules can come and go without affecting each other's
 * tables.
 */
import { StorageUnavailableError } from "../../core/errors.ts";
import type { SealedColumn, TableSet } from "../../core/transaction.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { queueColumns } from "./sealed-columns.ts";
import type { Database } from "./sqlite-driver.ts";

export type TableSetList = readonly TableSet<object>[];

/** The open sets, each with the object that reads and writes its tables. */
export type OpenTables = ReadonlyMap<TableSet<object>, object>;

/** Returns every sealed column of the database: the queue's and those of the sets. */
export function sealedColumnsOf(sets: TableSetList): readonly SealedColumn[] {
  return [...queueColumns, ...sets.flatMap((set) => set.sealedColumns)];
}

/** Brings the sets' tables to their newest schema, with one transaction per migration. */
export function migrateTableSets(database: Database, sets: TableSetList, nowEpochMs: number): void {
  const versions = versionsOf(database);
  const note = database.prepare("INSERT INTO table_set_migrations VALUES (?, ?, ?)");
  for (const { migrations, name } of sets) {
    for (const [index, { madeWhen, sql }] of migrations.entries()) {
      if (index < (versions.get(name) ?? 0)) continue;
      database.exec("BEGIN IMMEDIATE");
      if (!madeWhen || !database.prepare(madeWhen).get()) database.exec(sql);
      note.run(name, index + 1, nowEpochMs);
      database.exec("COMMIT");
    }
  }
}

/** @throws {StorageUnavailableError} when a newer version of a set has written to the file. */
export function inspectTableSets(database: Database, sets: TableSetList, path: string): void {
  const versions = versionsOf(database);
  for (const { migrations, name } of sets) {
    const version = versions.get(name) ?? 0;
    if (version <= migrations.length) continue;
    throw new StorageUnavailableError(
      `${path} has version ${version} of the tables "${name}", this program knows up to ${migrations.length}`,
      { hint: "They were written by a newer version. Install that version again." },
    );
  }
}

export function openTableSets(database: Database, sets: TableSetList, ring: KeyRing): OpenTables {
  return new Map(sets.map((set) => [set, set.open(database, ring)]));
}

/** Returns the names of the sets that are in the database but not in this list. */
export function unknownTableSets(database: Database, sets: TableSetList): readonly string[] {
  const known = new Set(sets.map(({ name }) => name));
  return [...versionsOf(database).keys()].filter((name) => !known.has(name));
}

function versionsOf(database: Database): ReadonlyMap<string, number> {
  const exists = database
    .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'table_set_migrations'")
    .get();
  if (!exists) return new Map();
  const rows = database
    .prepare("SELECT table_set, max(version) AS version FROM table_set_migrations GROUP BY 1")
    .all<{ table_set: string; version: number }>();
  return new Map(rows.map((row) => [row.table_set, row.version]));
}
