/** Server facts: what operators should know about the database at DATABASE_URL. Nothing is changed there. */
import type { Clock } from "../../core/clock.ts";
import { BotError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import { movedFact, readMark } from "../moved-mark.ts";
import { Connection } from "./connection.ts";
import { lockClassSql } from "./session-locks.ts";
import { mainSettings } from "./session-rules.ts";
import { probeDatabase } from "./startup-probe.ts";

export interface ServerFacts {
  /** Such as "15.18". */
  readonly version: string;
  readonly schema: SchemaFacts;
  /** Settings of a session that this role cannot use here, each with PostgreSQL's reason. */
  readonly refusedSettings: readonly string[];
  readonly durability: Readonly<
    Record<"fsync" | "full_page_writes" | "synchronous_commit", string>
  >;
  readonly connections: ConnectionFacts;
  readonly replication: ReplicationFacts;
  readonly snapshots: SnapshotFacts;
  readonly tables: readonly TableFacts[];
  readonly clock: ClockFacts;
}

export interface SchemaFacts {
  readonly name: string;
  readonly role: string;
  readonly exists: boolean;
  /** Whether the role may make it, or change what is in it. */
  readonly allowed: boolean;
  /** Where the data went, when they were moved. */
  readonly movedTo: string | undefined;
  /** Processes that hold the lock of their life. */
  readonly living: readonly { readonly host: string; readonly pid: number }[];
}

export interface ConnectionFacts {
  /** How many sessions ordinary roles may have together. */
  readonly max: number;
  /** Sessions of others, which are not the bot's. */
  readonly others: number;
  /** How many this role may have in this database; -1: without a limit of its own. */
  readonly ownMax: number;
}

export interface ReplicationFacts {
  /** `synchronous_standby_names`. */
  readonly names: string;
  readonly standbys: readonly {
    readonly name: string;
    /** `undefined`: this role may not see it. */
    readonly syncState: string | undefined;
  }[];
}

export interface SnapshotFacts {
  /** Age of the oldest transaction that holds a snapshot, in seconds; 0 without one. */
  readonly oldestSeconds: number;
  readonly holder: string;
  /** Sessions of which this role sees nothing. */
  readonly hidden: number;
}

export interface TableFacts {
  readonly table: string;
  readonly live: number;
  readonly dead: number;
  readonly lastAutovacuum: string | undefined;
}

export interface ClockFacts {
  /** The server's clock minus this machine's, in milliseconds. */
  readonly aheadMs: number;
  /** Half of the round trip: so far the difference may be wrong. */
  readonly doubtMs: number;
}

/** @throws {BotError} when the server cannot be reached, or cannot carry the bot. */
export async function serverFacts(url: Secret, schema: string, clock: Clock): Promise<ServerFacts> {
  const options = { url, schema, settings: { statement_timeout: 10_000 } };
  const connection = await Connection.open(options);
  try {
    const other = await Connection.open(options);
    await probeDatabase(connection, other).finally(() => other.end());
    return {
      version: (await one<{ version: string }>(connection, versionSql)).version,
      schema: await schemaFacts(connection, schema),
      refusedSettings: await refusedSettings(connection),
      durability: await one(connection, durabilitySql),
      connections: await one(connection, connectionsSql),
      replication: await replicationFacts(connection),
      snapshots: await one(connection, snapshotsSql),
      tables: await connection.all(tablesSql),
      clock: await clockFacts(connection, clock),
    };
  } finally {
    await connection.end();
  }
}

async function one<Row>(connection: Connection, sql: string, values: string[] = []): Promise<Row> {
  const [row] = await connection.all<Row>(sql, values);
  return row as Row;
}

const versionSql = "SELECT current_setting('server_version') AS version";

// Who owns the schema may change what is in it; who is to make it needs the right to do so in the database.
const schemaSql = `
  SELECT current_user AS role, n.oid IS NOT NULL AS exists,
    CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
      ELSE pg_has_role(n.nspowner, 'USAGE') END AS allowed,
    to_regclass('settings') IS NOT NULL AND to_regclass('processes') IS NOT NULL AS made
  FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = $1`;

const livingSql = `
  SELECT p.host, p.pid FROM processes p JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.objid::bigint = p.number AND l.objsubid = 2
    AND l.classid::bigint = ($1::bigint + 4294967296) % 4294967296
  WHERE p.ended IS NULL ORDER BY p.number`;

async function schemaFacts(connection: Connection, name: string): Promise<SchemaFacts> {
  const { made, ...facts } = await one<SchemaFacts & { readonly made: boolean }>(
    connection,
    schemaSql,
    [name],
  );
  const common = { ...facts, name, movedTo: undefined, living: [] };
  if (!facts.exists || !facts.allowed || !made) return common;
  const { class: lockClass } = await one<{ class: number }>(connection, lockClassSql);
  const [moved] = await connection.all<{ value: string }>(
    "SELECT value FROM settings WHERE name = $1",
    [movedFact],
  );
  const living = await connection.all<SchemaFacts["living"][number]>(livingSql, [lockClass]);
  return { ...common, movedTo: readMark(moved?.value)?.to, living };
}

/** Tries the settings of the bot's sessions, each in a transaction that is not kept. */
async function refusedSettings(connection: Connection): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const [name, value] of Object.entries(mainSettings(5_000))) {
    await connection.exec("BEGIN");
    try {
      await connection.exec(`SET LOCAL ${name} = ${value}`);
    } catch (error) {
      if (error instanceof BotError && error.transient) throw error;
      refused.push(`${name} (${error instanceof Error ? error.message : "no reason"})`);
    }
    await connection.exec("ROLLBACK");
  }
  return refused;
}

const durabilitySql = `SELECT current_setting('fsync') AS fsync,
  current_setting('full_page_writes') AS full_page_writes,
  current_setting('synchronous_commit') AS synchronous_commit`;

const connectionsSql = `
  SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS max,
    (SELECT count(*)::int FROM pg_stat_activity a WHERE a.backend_type = 'client backend'
      AND a.application_name <> 'bot') AS others,
    (SELECT CASE WHEN r.rolconnlimit < 0 THEN d.datconnlimit WHEN d.datconnlimit < 0 THEN r.rolconnlimit
        ELSE least(r.rolconnlimit, d.datconnlimit) END
      FROM pg_roles r, pg_database d
      WHERE r.rolname = current_user AND d.datname = current_database()) AS "ownMax"`;

async function replicationFacts(connection: Connection): Promise<ReplicationFacts> {
  const { names } = await one<{ names: string }>(
    connection,
    "SELECT current_setting('synchronous_standby_names') AS names",
  );
  const standbys = await connection.all<{ name: string | null; sync_state: string | null }>(
    "SELECT application_name AS name, sync_state FROM pg_stat_replication",
  );
  return {
    names,
    standbys: standbys.map(({ name, sync_state }) => ({
      ...{ name: name ?? "unknown", syncState: sync_state ?? undefined },
    })),
  };
}

/** The session that asks has a snapshot of its own. */
export const snapshotsSql = `
  SELECT coalesce(max(s.seconds), 0)::int AS "oldestSeconds",
    coalesce((array_agg(s.holder ORDER BY s.seconds DESC))[1], '') AS holder,
    (SELECT count(*)::int FROM pg_stat_activity a WHERE a.backend_type IS NULL) AS hidden
  FROM (
    SELECT extract(epoch FROM clock_timestamp() - a.xact_start) AS seconds,
      format('process %s of %s (%s)', a.pid, a.usename, a.application_name) AS holder
    FROM pg_stat_activity a
    WHERE a.backend_xmin IS NOT NULL AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
    UNION ALL
    SELECT extract(epoch FROM clock_timestamp() - p.prepared), format('the prepared transaction %s', p.gid)
    FROM pg_prepared_xacts p) s`;

const tablesSql = `
  SELECT t.relname AS table, t.n_live_tup AS live, t.n_dead_tup AS dead,
    t.last_autovacuum::text AS "lastAutovacuum"
  FROM pg_stat_user_tables t
  WHERE t.schemaname = current_schema() AND t.relname IN ('lanes', 'messages') ORDER BY 1`;

async function clockFacts(connection: Connection, clock: Clock): Promise<ClockFacts> {
  const ask = "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now";
  // The first time it is also prepared.
  await connection.all(ask);
  const [startedAtMs, epochMs] = [clock.monotonicMs(), clock.epochMs()];
  const { now } = await one<{ now: number }>(connection, ask);
  const doubtMs = (clock.monotonicMs() - startedAtMs) / 2;
  return { aheadMs: Math.round(now - epochMs - doubtMs), doubtMs: Math.ceil(doubtMs) };
}
