/**
 * Schema: the tables in PostgreSQL, as numbered migrations; new ones are only appended, and only add
 * (additive-rules.ts). So a process of an older version works on a newer schema: while an update goes from
 * machine to machine, and after one that was taken back.
 *
 * They differ from SQLite's where several processes work on them: the order of the messages stands in
 * `lanes`, which name the process that has their head in hand, and `processes` says who lives.
 */
import {
  MigrationRefusedError,
  StorageBusyError,
  StorageUnavailableError,
} from "../../core/errors.ts";
import type { Migration } from "../../core/transaction.ts";
import { movedFact, refuseMoved } from "../moved-mark.ts";
import type { TableSetList } from "../sqlite/table-sets.ts";
import { whyNotAdditive } from "./additive-rules.ts";
import type { Connection } from "./connection.ts";
import { functions1 } from "./functions/version-1.ts";
import { functions2 } from "./functions/version-2.ts";
import { functions3 } from "./functions/version-3.ts";
import { functions4 } from "./functions/version-4.ts";
import { migrationLock } from "./session-locks.ts";
import { toPostgresTypes } from "./sql-dialect.ts";

const migrations: readonly string[] = [
  `
  CREATE SEQUENCE process_numbers AS int;
  CREATE TABLE processes (
    number bigint PRIMARY KEY, name text NOT NULL, host text NOT NULL, pid int NOT NULL,
    version text NOT NULL, started_at bigint NOT NULL, beat_at bigint NOT NULL,
    commits bigint NOT NULL DEFAULT 0,
    -- NULL while it lives, then "clean" or "taken-over".
    ended text
  ) WITH (fillfactor = 50);

  -- Ids are known before the insertion, because the seal needs them, so a process takes blocks of them.
  CREATE SEQUENCE message_ids INCREMENT 1000;
  CREATE SEQUENCE message_positions;
  CREATE TABLE messages (
    -- One that is delayed has no position; it enters its lane at enters_at, and keeps that instant.
    id bigint PRIMARY KEY, pos bigint, enters_at bigint, key text COLLATE "C",
    type text NOT NULL, pool text COLLATE "C" NOT NULL, lane text COLLATE "C" NOT NULL,
    priority smallint NOT NULL, payload bytea NOT NULL,
    created_at bigint NOT NULL, available_at bigint NOT NULL, expires_at bigint,
    attempts int NOT NULL DEFAULT 0, claims int NOT NULL DEFAULT 0, deaths int NOT NULL DEFAULT 0,
    owner bigint, origin bigint, ambiguous text NOT NULL, flood_scope text, flood_cost int NOT NULL,
    replaces text, errors text NOT NULL
  ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
  CREATE INDEX messages_of_lane ON messages (pool, lane, pos);
  CREATE INDEX messages_by_entry ON messages (enters_at) INCLUDE (pool) WHERE pos IS NULL;
  CREATE INDEX messages_by_key ON messages (key) WHERE key IS NOT NULL;

  CREATE TABLE lanes (
    pool text COLLATE "C" NOT NULL, lane text COLLATE "C" NOT NULL, head bigint, head_pos bigint,
    high int NOT NULL, normal int NOT NULL, low int NOT NULL, priority smallint NOT NULL,
    available_at bigint NOT NULL, not_before bigint NOT NULL DEFAULT 0,
    owner bigint, deaths int NOT NULL DEFAULT 0, emptied_at bigint,
    PRIMARY KEY (pool, lane)
  ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);
  CREATE INDEX lanes_ready ON lanes (pool, priority, available_at, head_pos)
    WHERE owner IS NULL AND head IS NOT NULL;
  CREATE INDEX lanes_suspect ON lanes (pool, deaths, head_pos) WHERE deaths > 0;
  CREATE INDEX lanes_owned ON lanes (owner) WHERE owner IS NOT NULL;
  CREATE INDEX lanes_empty ON lanes (emptied_at) WHERE head IS NULL;

  CREATE TABLE dead_letters (
    id bigint PRIMARY KEY, type text NOT NULL, pool text NOT NULL, lane text COLLATE "C" NOT NULL,
    priority smallint NOT NULL, payload bytea NOT NULL, created_at bigint NOT NULL,
    died_at bigint NOT NULL, reason text NOT NULL, attempts int NOT NULL, deaths int NOT NULL,
    origin bigint, ambiguous text NOT NULL, flood_scope text, flood_cost int NOT NULL,
    errors text NOT NULL, key text COLLATE "C"
  );
  CREATE INDEX dead_letters_by_key ON dead_letters (key) WHERE key IS NOT NULL;
  CREATE INDEX dead_letters_by_age ON dead_letters (died_at);
  CREATE INDEX dead_letters_of_lane ON dead_letters (lane);
  CREATE TABLE steps (
    origin bigint NOT NULL, name text NOT NULL, result bytea NOT NULL, PRIMARY KEY (origin, name)
  );
  CREATE TABLE dedupe (key text COLLATE "C" PRIMARY KEY, expires_at bigint NOT NULL);
  CREATE INDEX dedupe_by_age ON dedupe (expires_at);
  CREATE TABLE sent (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope text NOT NULL, cost int NOT NULL,
    at bigint NOT NULL
  );
  CREATE INDEX sent_by_age ON sent (at);
  CREATE TABLE message_references (
    id bigint PRIMARY KEY, owner bigint NOT NULL, position int NOT NULL, telegram_id bigint,
    at bigint NOT NULL
  );
  CREATE INDEX message_references_of ON message_references (owner, position);
  CREATE INDEX message_references_by_age ON message_references (at);
  CREATE TABLE message_files (owner bigint NOT NULL, name text NOT NULL, PRIMARY KEY (owner, name));
  CREATE TABLE unreachable_chats (
    chat text COLLATE "C" PRIMARY KEY, reason text NOT NULL, since bigint NOT NULL
  );
  CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL);
  CREATE TABLE data_keys (id int PRIMARY KEY, wrapped bytea NOT NULL, created_at bigint NOT NULL);
  CREATE TABLE table_set_migrations (
    table_set text NOT NULL, version int NOT NULL, applied_at bigint NOT NULL,
    PRIMARY KEY (table_set, version)
  );
  ${functions1}
  `,
  `
  -- The contents of files that recorded calls will upload, in parts, sealed.
  CREATE TABLE files (
    name text COLLATE "C" NOT NULL, part int NOT NULL, content bytea NOT NULL, stored_at bigint NOT NULL,
    PRIMARY KEY (name, part)
  );
  -- What each process says of itself, for the others to show.
  ALTER TABLE processes ADD COLUMN status text,
    ADD COLUMN restart_asked boolean NOT NULL DEFAULT false;
  ${functions2}
  `,
  `
  -- Since when the key seals; 0: since before that was noted; NULL: not yet, because a process lacks it.
  ALTER TABLE data_keys ADD COLUMN used_at bigint DEFAULT 0;
  -- The newest data key that the process knows; NULL: it is of a version that learns of none.
  ALTER TABLE processes ADD COLUMN data_key int;
  ${functions3}
  `,
  functions4,
];

/**
 * Milliseconds for which a step waits for a table that others use. While it waits, those who come after it
 * wait as well, so it gives way to them for a second and tries again.
 */
const lockMsMax = 200;
const triesMax = 60;

/** The schema of a bot: each has one of its own, so that several may share a database. */
export function schemaOf(botId: string): string {
  return `bot_${botId}`;
}

/** Those made beside processes of an older version: all but the first. For tests. */
export const laterMigrations: readonly string[] = migrations.slice(1);

/**
 * Brings the schema and the sets' tables to their newest version, in one transaction that waits for
 * any other process that does the same. What a newer version has added is left alone.
 *
 * @throws {StorageBusyError} when others use what is to be changed for a minute without a pause.
 * @throws {MigrationRefusedError} when a step would take away what older processes use.
 * @throws {StorageMovedError} when the data are elsewhere.
 */
export async function migrate(
  connection: Connection,
  schema: string,
  sets: TableSetList,
  nowEpochMs: number,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await connection.transaction(async () => {
        // The lock lies before the schema, because two processes must not create it at the same time.
        await connection.exec(`SELECT pg_advisory_xact_lock(${migrationLock})`);
        await connection.exec(`SET LOCAL lock_timeout = ${lockMsMax}`);
        await migrateWithin(connection, schema, sets, nowEpochMs);
      });
      return;
    } catch (error) {
      if (!(error instanceof StorageBusyError) || tries >= triesMax) throw error;
      await connection.exec("SELECT pg_sleep(1)");
    }
  }
}

/** Like `migrate`, in a transaction of the caller, which holds the lock of migrations. */
export async function migrateWithin(
  connection: Connection,
  schema: string,
  sets: TableSetList,
  nowEpochMs: number,
): Promise<void> {
  await connection.exec(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await connection.exec(
    "CREATE TABLE IF NOT EXISTS migrations (version int PRIMARY KEY, applied_at bigint NOT NULL)",
  );
  const version = await versionOf(connection, "SELECT max(version) AS version FROM migrations");
  if (version > 0) await expectHere(connection, schema);
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    if (version > 0) expectAdditive("schema", index + 1, sql);
    await connection.exec(sql);
    await connection.run("INSERT INTO migrations VALUES ($1, $2)", [index + 1, nowEpochMs]);
  }
  for (const { migrations: own, name } of sets) {
    const of = "SELECT max(version) AS version FROM table_set_migrations WHERE table_set = $1";
    const done = await versionOf(connection, of, [name]);
    for (const [index, migration] of own.entries()) {
      if (index < done) continue;
      if (done > 0) expectAdditive(`the tables "${name}"`, index + 1, textOf(migration));
      await connection.exec(textOf(migration));
      const note = [name, index + 1, nowEpochMs];
      await connection.run("INSERT INTO table_set_migrations VALUES ($1, $2, $3)", note);
    }
  }
}

/**
 * For a program that works beside the processes, and leaves the schema as they have made it.
 *
 * @throws {StorageUnavailableError} when it is not as this version makes it.
 * @throws {StorageMovedError} when the data are elsewhere.
 */
export async function expectMigrated(connection: Connection, schema: string): Promise<void> {
  const [found] = await connection.all("SELECT 1 WHERE to_regclass('migrations') IS NOT NULL");
  const sql = "SELECT max(version) AS version FROM migrations";
  const version = found ? await versionOf(connection, sql) : 0;
  if (version > 0) await expectHere(connection, schema);
  if (version === migrations.length) return;
  throw new StorageUnavailableError(
    version === 0
      ? `there are no data in the schema ${schema}`
      : `the schema ${schema} has version ${version}, this program works on ${migrations.length}`,
    {
      hint: "Use the program of the version that works there, or start a bot of this version first.",
    },
  );
}

/** The table sets of the database of which this program does not know all columns. */
export async function foreignTableSets(
  connection: Connection,
  sets: TableSetList,
): Promise<readonly string[]> {
  const rows = await connection.all<{ table_set: string; version: number }>(
    "SELECT table_set, max(version) AS version FROM table_set_migrations GROUP BY 1 ORDER BY 1",
  );
  const known = new Map(sets.map(({ migrations: own, name }) => [name, own.length]));
  return rows.flatMap((row) =>
    row.version > (known.get(row.table_set) ?? 0) ? row.table_set : [],
  );
}

async function expectHere(connection: Connection, schema: string): Promise<void> {
  const [moved] = await connection.all<{ value: string }>(
    "SELECT value FROM settings WHERE name = $1",
    [movedFact],
  );
  refuseMoved(moved?.value, `the schema ${schema}`);
}

function textOf({ postgres, sql }: Migration): string {
  return postgres ?? toPostgresTypes(sql);
}

async function versionOf(
  connection: Connection,
  sql: string,
  values: readonly (string | number)[] = [],
): Promise<number> {
  const [row] = await connection.all<{ version: number | null }>(sql, values);
  return row?.version ?? 0;
}

function expectAdditive(what: string, step: number, sql: string): void {
  const why = whyNotAdditive(sql);
  if (why === undefined) return;
  throw new MigrationRefusedError(`migration ${step} of ${what} does not only add: ${why}`, {
    hint:
      "Nothing was changed. Processes of the version before may work on these tables now: leave what is not " +
      "used any more, and add what is new.",
  });
}
