/**
 * Observer: asks the database, beside the bot, which process has what, and notes what is taken over.
 *
 * What is taken over is the judge's witness of ambiguous sends: the send was in hand of a process whose
 * session ended, so nobody knows whether it took effect. Any other repetition has no excuse.
 */
import type { Cluster } from "./cluster.ts";

/** A send that one process had in hand and another one took over. */
export interface TakenOver {
  readonly id: number;
  readonly origin: number | null;
  /** Number of the process that had it. */
  readonly owner: number;
  readonly atEpochMs: number;
  readonly payload: string;
}

export const takenOverSql = `SELECT id, origin, owner, at AS "atEpochMs", payload
  FROM drill.taken_over ORDER BY at`;

/** Roles by the keys of their locks; PostgreSQL shows negative keys as large ones. */
const roleKeys = { intake: 2 ** 32 - 1, sending: 2 ** 32 - 2 } as const;

const livingSql = `SELECT p.number, p.name, l.pid FROM BOT.processes p
  JOIN pg_locks l ON l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
    AND l.objid::bigint = p.number AND l.classid::bigint = 'BOT'::regnamespace::oid::bigint # 2147483648
  WHERE p.ended IS NULL`;

export interface Living {
  readonly number: number;
  /** Ends with the process's data directory. */
  readonly name: string;
}

export class Observer {
  readonly #cluster: Cluster;
  readonly schema: string;

  constructor(cluster: Cluster, schema: string) {
    this.#cluster = cluster;
    this.schema = schema;
  }

  /** Call it when the bot has made its tables, and before anyone writes. */
  async watch(): Promise<void> {
    await this.#ask(`
      CREATE SCHEMA drill;
      CREATE TABLE drill.taken_over (id bigint, origin bigint, owner bigint, at bigint, payload bytea);
      CREATE FUNCTION drill.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO drill.taken_over VALUES (OLD.id, OLD.origin, OLD.owner,
          extract(epoch FROM clock_timestamp()) * 1000, OLD.payload);
        RETURN NULL;
      END $$;
      CREATE TRIGGER drill AFTER UPDATE OF owner ON BOT.messages FOR EACH ROW
        WHEN (OLD.owner IS NOT NULL AND NEW.owner <> OLD.owner AND OLD.pool <> 'handling')
        EXECUTE FUNCTION drill.note();`);
  }

  /** The processes whose sessions live. Empty while the database does not answer. */
  async living(): Promise<readonly Living[]> {
    return this.#ask<Living>(livingSql).catch(() => []);
  }

  /** The process with this role. */
  async holderOf(role: keyof typeof roleKeys): Promise<Living | undefined> {
    const rows = await this.#ask<Living>(
      `SELECT living.* FROM (${livingSql}) living JOIN pg_locks r ON r.pid = living.pid
       WHERE r.locktype = 'advisory' AND r.objsubid = 2 AND r.granted
         AND r.objid::bigint = ${roleKeys[role]}`,
    ).catch(() => []);
    return rows[0];
  }

  /** Messages that wait or are in hand, but for tasks, which come again and again. */
  async countUnfinished(): Promise<number> {
    const [row] = await this.#ask<{ count: string }>(
      "SELECT count(*) FROM BOT.messages WHERE type <> 'task'",
    );
    return Number(row?.count);
  }

  /**
   * Makes the next turn of this process wait within its statement.
   *
   * @returns when it waits, a function that lets it go on.
   */
  async holdTurn(number: number): Promise<() => Promise<void>> {
    const holder = await this.#cluster.primary.connect();
    const one = `SELECT 1 FROM ${this.schema}.processes WHERE number = $1 FOR UPDATE`;
    const waits = `SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))`;
    await holder.query("BEGIN");
    await holder.query(one, [number]);
    for (let tries = 0; tries < 500; tries++) {
      const { rows } = await holder.query(waits);
      if (rows.length > 0) break;
    }
    return () => holder.end().catch(() => {});
  }

  async #ask<Row>(sql: string): Promise<Row[]> {
    return this.#cluster.primary.query<Row>(sql.replaceAll("BOT", this.schema));
  }
}
