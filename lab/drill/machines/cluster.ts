/**
 * Cluster: a PostgreSQL server and its standby, on two hosts.
 *
 * A commit is answered when it is on both, unless the cluster is told to be asynchronous. A standby that is
 * promoted works alone until it has one itself, on the host of the former primary.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../bot-process.ts";
import type { Seat } from "./database-links.ts";
import { PostgresServer } from "./postgres-server.ts";

export class Cluster {
  readonly #directory: string;
  #servers = 0;
  #primary: PostgresServer;
  #primarySeat: Seat = 0;
  #standby: PostgresServer | undefined;
  /** Primaries of before that were not told. */
  readonly #former = new Set<PostgresServer>();

  private constructor(directory: string, primary: PostgresServer) {
    this.#directory = directory;
    this.#primary = primary;
  }

  /** @param directory Is made, and may be entered by PostgreSQL's user. */
  static async create(directory: string): Promise<Cluster> {
    const primary = await PostgresServer.create(join(directory, "server-0"));
    await primary.start();
    const cluster = new Cluster(directory, primary);
    await cluster.addStandby();
    return cluster;
  }

  get primary(): PostgresServer {
    return this.#primary;
  }

  get standby(): PostgresServer {
    if (this.#standby) return this.#standby;
    throw new Error("the cluster has no standby");
  }

  /** The host of the primary. */
  get primarySeat(): Seat {
    return this.#primarySeat;
  }

  /** The addresses of both, by host. */
  get addresses(): readonly [string, string] {
    const [primary, standby] = [this.primary.url, this.standby.url];
    return this.#primarySeat === 0 ? [primary, standby] : [standby, primary];
  }

  /** Makes a standby where there is none; from then on commits wait for it. */
  async addStandby(): Promise<void> {
    if (this.#standby) return;
    this.#servers++;
    const directory = join(this.#directory, `server-${this.#servers}`);
    const standby = await PostgresServer.standbyOf(this.#primary, directory);
    await standby.start();
    this.#standby = standby;
    // A copy of the settings must not have this, or a promoted standby would wait for ever.
    await this.#primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await this.#primary.query("SELECT pg_reload_conf()");
    await this.inStep();
  }

  /** Resolves when commits go to the standby. */
  async inStep(): Promise<void> {
    await this.#eventually("the standby is in step", "sync_state = 'sync' AND state = 'streaming'");
  }

  async #eventually(what: string, condition: string): Promise<void> {
    const sql = `SELECT 1 FROM pg_stat_replication WHERE ${condition}`;
    await eventually(what, async () => {
      const rows = await this.#primary.query(sql).catch(() => []);
      return rows.length > 0;
    });
  }

  /** From now on commits are answered before they are on the standby. */
  async beAsynchronous(): Promise<void> {
    await this.#primary.query("ALTER SYSTEM RESET synchronous_standby_names");
    await this.#primary.query("SELECT pg_reload_conf()");
    await this.#eventually("no standby is waited for", "sync_state = 'async'");
  }

  /** From now on nothing more reaches the standby. */
  async cutReplication(): Promise<void> {
    await this.standby.query("ALTER SYSTEM SET primary_conninfo = ''");
    await this.standby.query("SELECT pg_reload_conf()");
    await eventually("nothing reaches the standby", async () => {
      const rows = await this.#primary.query("SELECT 1 FROM pg_stat_replication");
      return rows.length === 0;
    });
  }

  /** Makes the standby the primary. The former one goes on, and waits for a standby that left it. */
  async promote(): Promise<void> {
    const { standby } = this;
    await standby.query("SELECT pg_promote(true, 60)");
    this.#former.add(this.#primary);
    this.#primary = standby;
    this.#primarySeat = this.#primarySeat === 0 ? 1 : 0;
    this.#standby = undefined;
  }

  /** Ends the primaries of before. */
  async endFormer(): Promise<void> {
    for (const server of this.#former) await server.stop("QUIT");
    this.#former.clear();
  }

  async close(): Promise<void> {
    await this.endFormer();
    await this.#standby?.stop("QUIT");
    await this.#primary.stop("QUIT");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
