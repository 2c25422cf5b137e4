/** Shared processes: who works on this schema, as its rows and the locks in PostgreSQL tell. */
import type { ProcessEntry, Processes, ProcessStatus } from "../../core/processes.ts";
import { type Role, roles } from "../../core/roles.ts";
import type { Connection } from "./connection.ts";
import type { Session } from "./session.ts";
import { livesSql, lockOf } from "./session-locks.ts";

export interface SharedProcessesDeps {
  readonly use: <T>(work: (connection: Connection) => Promise<T>) => Promise<T>;
  readonly session: () => Session | undefined;
  readonly now: () => number;
}

interface Row {
  readonly number: number;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly started_at: number;
  readonly beat_at: number;
  readonly ended: string | null;
  readonly status: string | null;
  readonly lives: boolean;
  readonly locks: readonly number[];
}

const shownMs = 3_600_000;
const shownMax = 100;
/** PostgreSQL shows the two halves of a lock's key without a sign. */
const unsigned = (key: number) => key >>> 0;

/** All advisory locks that a living process's session holds on this schema. */
const listSql = `
  SELECT p.number, p.host, p.pid, p.version, p.started_at, p.beat_at, p.ended, p.status,
    life.pid IS NOT NULL AS lives,
    ARRAY(SELECT other.objid::bigint::float8 FROM pg_locks other
      WHERE other.locktype = 'advisory' AND other.granted AND other.classid = life.classid
        AND other.database = life.database AND other.objsubid = 2 AND other.pid = life.pid) AS locks
  FROM processes p LEFT JOIN ${livesSql("$1")}
  WHERE life.pid IS NOT NULL OR p.beat_at > $2 ORDER BY p.number DESC LIMIT ${shownMax}`;

export class SharedProcesses implements Processes {
  readonly #deps: SharedProcessesDeps;

  constructor(deps: SharedProcessesDeps) {
    this.#deps = deps;
  }

  async list(): Promise<readonly ProcessEntry[]> {
    const { now, session, use } = this.#deps;
    const me = session();
    const lockClass = unsigned(me?.lockClass ?? 0);
    const rows = await use((connection) =>
      connection.all<Row>(listSql, [lockClass, now() - shownMs]),
    );
    return rows.map((row) => toEntry(row, me?.number));
  }

  async report(status: ProcessStatus): Promise<boolean> {
    const { session, use } = this.#deps;
    const number = session()?.number ?? 0;
    const [row] = await use((connection) =>
      connection.all<{ asked: boolean }>(
        `UPDATE processes p SET status = $2, restart_asked = false
         FROM (SELECT number, restart_asked FROM processes WHERE number = $1 FOR UPDATE) before
         WHERE p.number = before.number RETURNING before.restart_asked AS asked`,
        [number, JSON.stringify(status)],
      ),
    );
    return row?.asked === true;
  }

  async askRestart(number: number): Promise<boolean> {
    const alive = (await this.list()).some((one) => one.number === number && one.state === "alive");
    if (!alive) return false;
    const asked = await this.#deps.use((connection) =>
      connection.run("UPDATE processes SET restart_asked = true WHERE number = $1", [number]),
    );
    return asked > 0;
  }
}

function toEntry(row: Row, me: number | undefined): ProcessEntry {
  const { beat_at, ended, host, lives, locks, number, pid, started_at, version } = row;
  const status = row.status === null ? undefined : (JSON.parse(row.status) as ProcessStatus);
  const held = roles.filter((role) => locks.includes(unsigned(lockOf(role))));
  return {
    ...{ number, host, pid, version },
    startedAtEpochMs: started_at,
    beatAtEpochMs: beat_at,
    state: stateOf(lives, ended),
    self: number === me,
    roles: held.map((role: Role) => ({ role, sinceEpochMs: status?.roles[role] })),
    health: status?.health,
    monitoringUrl: status?.monitoringUrl,
  };
}

function stateOf(lives: boolean, ended: string | null): ProcessEntry["state"] {
  if (ended === "clean") return "ended";
  return lives && ended === null ? "alive" : "lost";
}
