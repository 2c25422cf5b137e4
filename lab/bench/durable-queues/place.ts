/**
 * Place: where queues keep their data: a PostgreSQL server of our own, durable as it is delivered, with a new
 * database for each measurement, and directories.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { findPostgres } from "../../drill/machines/postgres-programs.ts";
import { PostgresServer } from "../../drill/machines/postgres-server.ts";
import { processorSeconds } from "../process-usage.ts";
import { DelayProxy } from "./delay-proxy.ts";

export class Place {
  readonly #directory: string;
  readonly #server: PostgresServer;
  readonly #proxies = new Map<number, DelayProxy>();
  #databases = 0;

  private constructor(directory: string, server: PostgresServer) {
    this.#directory = directory;
    this.#server = server;
  }

  static async open(): Promise<Place> {
    if (!findPostgres()) {
      throw new Error("there is no PostgreSQL here; install Debian's package postgresql");
    }
    const directory = mkdtempSync(join(tmpdir(), "bench-"));
    // PostgreSQL runs as another user than root.
    chmodSync(directory, 0o711);
    const server = await PostgresServer.create(join(directory, "server"));
    await server.start();
    return new Place(directory, server);
  }

  makeDirectory(): string {
    return mkdtempSync(join(this.#directory, "sqlite-"));
  }

  /** @param delayMs By how much a round trip takes longer. */
  async makeDatabase(delayMs: number): Promise<Database> {
    const name = `bench_${++this.#databases}`;
    await this.#server.query(`CREATE DATABASE ${name}`);
    const port = await this.#portOf(delayMs);
    const url = `postgres://postgres@127.0.0.1:${port}/${name}`;
    return new Database(this.#server, name, url);
  }

  async #portOf(delayMs: number): Promise<number> {
    if (delayMs === 0) return this.#server.port;
    const proxy =
      this.#proxies.get(delayMs) ?? (await DelayProxy.start(this.#server.port, delayMs));
    this.#proxies.set(delayMs, proxy);
    return proxy.port;
  }

  async close(): Promise<void> {
    for (const proxy of this.#proxies.values()) await proxy.stop();
    await this.#server.stop("INT");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export class Database {
  readonly url: string;
  readonly #server: PostgresServer;
  readonly #name: string;

  constructor(server: PostgresServer, name: string, url: string) {
    this.#server = server;
    this.#name = name;
    this.url = url;
  }

  /** Makes the planner know what is there, and writes to disk what others have left to be written. */
  async settle(): Promise<void> {
    await this.query("ANALYZE");
    await this.query("CHECKPOINT");
  }

  async query<Row>(sql: string): Promise<Row[]> {
    const client: pg.Client = await this.#server.connect(this.#name);
    try {
      return (await client.query(sql)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** Seconds of processor time that the sessions of this database have used since they were opened. */
  async processorSeconds(): Promise<number> {
    const sessions = await this.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    return sessions.reduce((sum, { pid }) => sum + processorSeconds(pid), 0);
  }

  async drop(): Promise<void> {
    await this.#server.query(`DROP DATABASE ${this.#name} WITH (FORCE)`);
  }
}
