/**
 * PostgreSQL server: runs a server of Debian's package, and ends it with the process that started it.
 *
 * It is durable, as it is delivered: a commit is on the disk, or on the standby's.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { eventually } from "../bot-process.ts";
import { asOrdinaryUser, findPostgres, nobody } from "./postgres-programs.ts";

/** A program of PostgreSQL with what stands before it. */
function commandOf(program: string): readonly string[] {
  return [...asOrdinaryUser(), join(findPostgres() ?? "", program)];
}

const settings = {
  listen_addresses: "127.0.0.1",
  max_connections: 200,
  shared_buffers: "64MB",
  // A standby that was away finds what it missed, and comes back soon.
  wal_keep_size: "512MB",
  wal_retrieve_retry_interval: "500ms",
  // A standby's end of the line is noticed as on a machine that is gone.
  wal_sender_timeout: "10s",
};

/**
 * Ends the server at the end of the input, and removes its directory, and those around it that are empty;
 * with a signal's name it ends it so, and keeps them.
 */
const script = `"$@" >>log 2>&1 & server=$!; read -r signal; kill -\${signal:-QUIT} $server; wait $server
[ -n "$signal" ] && exit; here=$PWD; cd /; rm -rf "$here"; rmdir "\${here%/*}" "\${here%/*/*}"`;

export class PostgresServer {
  readonly #directory: string;
  readonly port: number;
  #child: ChildProcess | undefined;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.port = port;
  }

  /** Makes an empty database in a new directory. */
  static async create(directory: string): Promise<PostgresServer> {
    const server = await PostgresServer.#in(directory);
    server.#run("initdb", ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]);
    return server;
  }

  /** Makes a standby of another server, which is running, in a new directory. */
  static async standbyOf(primary: PostgresServer, directory: string): Promise<PostgresServer> {
    const server = await PostgresServer.#in(directory);
    const from = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", "postgres"];
    server.#run("pg_basebackup", [...from, "-R", "-X", "stream", "-c", "fast", "-N"]);
    return server;
  }

  static async #in(directory: string): Promise<PostgresServer> {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o700);
    if (process.getuid?.() === 0) chownSync(directory, nobody.user, nobody.group);
    return new PostgresServer(directory, await freePort());
  }

  #run(program: string, words: readonly string[]): void {
    const [command = program, ...before] = commandOf(program);
    execFileSync(command, [...before, "-D", "data", ...words], {
      cwd: this.#directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  /** Without the password that it does not ask for. */
  get url(): string {
    return this.urlOf("postgres");
  }

  urlOf(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  async start(): Promise<void> {
    const own = { ...settings, port: this.port, unix_socket_directories: this.#directory };
    const words = Object.entries(own).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const server = [...commandOf("postgres"), "-D", "data", ...words];
    this.#child = spawn("sh", ["-c", script, "sh", ...server], {
      cwd: this.#directory,
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#child.stdin?.on("error", () => {
      // It has ended already.
    });
    const answers = () => this.query("SELECT 1").then(Boolean, () => false);
    await eventually("PostgreSQL answers", answers, 60_000);
  }

  /** @param signal QUIT ends it at once and without order ("immediate"), INT in order. */
  async stop(signal: "INT" | "QUIT"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.stdin?.end(`${signal}\n`);
    await ended;
  }

  /** Runs a statement on a session of its own. */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = await this.connect();
    try {
      return (await client.query(sql, [...values])).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** A session whose loss is nobody's error. */
  async connect(database = "postgres"): Promise<pg.Client> {
    const connectionString = this.urlOf(database);
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
    client.on("error", () => {});
    await client.connect();
    return client;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === "object" && address ? address.port : 0;
}
