/** PostgreSQL end: the schema of a bot, as the place that data are moved from or to. */
import { hostname } from "node:os";
import { formatInstant } from "../../core/clock.ts";
import { MoveRefusedError, StorageBusyError, StorageInUseError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import { arrivedFact, type MovedMark, movedFact, readMark } from "../moved-mark.ts";
import { Connection } from "../postgres/connection.ts";
import { withoutPassword } from "../postgres/database-address.ts";
import { migrate, migrateWithin } from "../postgres/schema.ts";
import { lockClassSql, migrationLock } from "../postgres/session-locks.ts";
import { probeDatabase } from "../postgres/startup-probe.ts";
import { documentTables } from "../sqlite/document-table.ts";
import type { TableSetList } from "../sqlite/table-sets.ts";
import type { Content, End, EndState, Receiver } from "./content.ts";
import { PostgresContent } from "./postgres-content.ts";

export interface PostgresEndDeps {
  readonly url: Secret;
  /** Lower-case letters, digits and underscores. */
  readonly schema: string;
  /** The running module's own tables. */
  readonly tableSets: TableSetList;
  readonly nowEpochMs: number;
}

/** Copying takes as long as it takes; only waits for others are bounded. */
const settings = {
  statement_timeout: 0,
  idle_in_transaction_session_timeout: 0,
  lock_timeout: 5_000,
};

const tablesSql = `SELECT format('%I', c.relname) AS name FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.oid`;
/** The tables that have rows in an empty database. */
const bookkeeping = ["migrations", "table_set_migrations", "processes", "settings"];

/** A process that lives, if there is one: its lock cannot be had. */
const livingSql = `SELECT p.host, p.pid FROM processes p
  WHERE p.ended IS NULL AND NOT pg_try_advisory_xact_lock($1, p.number::int) LIMIT 1`;

/** Refuses a process that only comes back after its session was lost, and so reads no mark. */
const guardSql = `
  CREATE OR REPLACE FUNCTION moved_away() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%', (SELECT s.value FROM settings s WHERE s.name = '${movedFact}')
      USING ERRCODE = 'BT002'; END $$;
  CREATE OR REPLACE TRIGGER moved_away BEFORE INSERT ON processes
    FOR EACH STATEMENT EXECUTE FUNCTION moved_away()`;
const unguardSql = `
  DROP TRIGGER IF EXISTS moved_away ON processes;
  DROP FUNCTION IF EXISTS moved_away()`;

export class PostgresEnd implements End {
  readonly address: string;
  readonly emptyHint: string;
  readonly #deps: PostgresEndDeps;
  #connection: Connection | undefined;

  constructor(deps: PostgresEndDeps) {
    this.#deps = deps;
    this.address = `${withoutPassword(deps.url)}, schema ${deps.schema}`;
    this.emptyHint = `If nobody needs what is there: DROP SCHEMA ${deps.schema} CASCADE`;
  }

  get #open(): Connection {
    if (this.#connection) return this.#connection;
    throw new Error("this end was not entered");
  }

  async enter(role: "source" | "target"): Promise<void> {
    const { nowEpochMs, schema, url } = this.#deps;
    const options = { url, schema, settings };
    this.#connection = await Connection.open(options);
    const other = await Connection.open(options);
    try {
      await probeDatabase(this.#connection, other);
    } finally {
      await other.end();
    }
    if (role === "target") return;
    const { empty, mark } = await this.look();
    if (empty || mark) return;
    await this.#open.transaction(() => this.#expectNobody());
    await migrate(this.#open, schema, this.#sets, nowEpochMs);
  }

  get #sets(): TableSetList {
    return [documentTables, ...this.#deps.tableSets];
  }

  async look(): Promise<EndState> {
    const names = (await this.#open.all<{ name: string }>(tablesSql)).map(({ name }) => name);
    const fact = async (wanted: string) => {
      if (!names.includes("settings")) return undefined;
      const [row] = await this.#open.all<{ value: string }>(
        "SELECT value FROM settings WHERE name = $1",
        [wanted],
      );
      return row?.value;
    };
    return {
      empty: await this.#areEmpty(names),
      mark: readMark(await fact(movedFact)),
      arrived: await fact(arrivedFact),
    };
  }

  async #areEmpty(names: readonly string[]): Promise<boolean> {
    for (const name of names) {
      if (bookkeeping.includes(name)) continue;
      if ((await this.#open.all(`SELECT 1 FROM ${name} LIMIT 1`)).length > 0) return false;
    }
    return true;
  }

  async #expectNobody(): Promise<void> {
    const [locks] = await this.#open.all<{ class: number }>(lockClassSql);
    const [living] = await this.#open.all<{ host: string; pid: number }>(livingSql, [
      locks?.class as number,
    ]);
    if (living) throw this.#inUse(`process ${living.pid} on ${living.host} works`);
  }

  #inUse(who: string, cause?: unknown): StorageInUseError {
    return new StorageInUseError(`${who} on ${this.address}`, {
      cause,
      hint: "Nothing was changed. Stop the bot first, on every machine.",
    });
  }

  async give(mark: MovedMark, work: (content: Content) => Promise<void>): Promise<void> {
    await this.#open.transaction(async () => {
      await this.#expectNobody();
      await this.#holdAllTables();
      // One may have entered, or come back, before the tables were held.
      await this.#expectNobody();
      await work(await PostgresContent.open(this.#open, this.#deps.nowEpochMs));
      await this.#writeMark(mark);
    });
  }

  async #holdAllTables(): Promise<void> {
    const names = (await this.#open.all<{ name: string }>(tablesSql)).map(({ name }) => name);
    try {
      await this.#open.exec(`LOCK TABLE ${names.join(", ")} IN EXCLUSIVE MODE`);
    } catch (error) {
      if (!(error instanceof StorageBusyError)) throw error;
      throw this.#inUse("another session works", error);
    }
  }

  async setMark(mark: MovedMark | undefined): Promise<void> {
    await this.#open.transaction(() => this.#writeMark(mark));
  }

  async #writeMark(mark: MovedMark | undefined): Promise<void> {
    if (!mark) {
      await this.#open.run("DELETE FROM settings WHERE name = $1", [movedFact]);
      await this.#open.exec(unguardSql);
      return;
    }
    await this.#writeFact(movedFact, JSON.stringify(mark));
    await this.#open.exec(guardSql);
  }

  async #writeFact(name: string, value: string): Promise<void> {
    await this.#open.run(
      "INSERT INTO settings VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      [name, value],
    );
  }

  async receive<T>(
    { aside, id }: { readonly id: string; readonly aside: boolean },
    work: (receiver: Receiver) => Promise<T>,
  ): Promise<{ readonly result: T; readonly kept: string | undefined }> {
    const { nowEpochMs, schema } = this.#deps;
    return this.#open.transaction(async () => {
      // A bot that is started meanwhile waits for this lock, and then finds everything there.
      await this.#open.exec(`SELECT pg_advisory_xact_lock(${migrationLock})`);
      const kept = aside ? await this.#setAside() : undefined;
      if (!(await this.look()).empty) throw new MoveRefusedError(`${this.address} is not empty`);
      await migrateWithin(this.#open, schema, this.#sets, nowEpochMs);
      const owner = await this.#enterAsDead();
      await this.#writeFact(arrivedFact, id);
      const result = await work(await PostgresContent.open(this.#open, nowEpochMs, owner));
      return { result, kept };
    });
  }

  /** @returns the name under which the schema is kept. */
  async #setAside(): Promise<string> {
    const { nowEpochMs, schema } = this.#deps;
    const instant = formatInstant(nowEpochMs).replace(/\D/g, "");
    const kept = `${schema}_replaced_${instant}`;
    await this.#open.exec(`ALTER SCHEMA ${schema} RENAME TO ${kept}`);
    return kept;
  }

  /** Puts what is in hand under the number of a process that has ended, so it is taken over like any other. */
  async #enterAsDead(): Promise<number> {
    const { nowEpochMs: now } = this.#deps;
    const [row] = await this.#open.all<{ number: number }>(
      `INSERT INTO processes (number, name, host, pid, version, started_at, beat_at, ended)
       VALUES (nextval('process_numbers'), 'move', $1, $2, 'move', $3, $3, 'taken-over') RETURNING number`,
      [hostname(), process.pid, now],
    );
    return row?.number as number;
  }

  async close(): Promise<void> {
    await this.#connection?.end();
  }
}
