/**
 * PostgreSQL for tests: the database at TEST_DATABASE_URL, or a server of our own in a temporary
 * directory, started once for all test files of a process. It ends with that process.
 */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { asOrdinaryUser, findPostgres } from "../../lab/drill/machines/postgres-programs.ts";

const given = process.env["TEST_DATABASE_URL"];
const programs = given ? undefined : findPostgres(["initdb", "postgres"]);

/** Whether the server ends with the tests, and its data with it. */
export const ownServer: boolean = programs !== undefined;

/** Why no test can use a database here; `undefined` when they can. */
export const noPostgres =
  given || programs
    ? undefined
    : "no PostgreSQL: install Debian's postgresql, or set TEST_DATABASE_URL";

/** Appended to the title of what is skipped. */
export const orSkipped: string = noPostgres ? ` (skipped: ${noPostgres})` : "";

let running: Promise<string> | undefined;
let hand: pg.Pool | undefined;

/** The address of the database. */
export function postgresUrl(): Promise<string> {
  running ??= given ? Promise.resolve(given) : start();
  return running;
}

/** A name that no other test uses. */
export function freshSchema(): string {
  return `test_${randomBytes(6).toString("hex")}`;
}

/** Runs statements beside the store that is tested. */
export async function byHand<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
  // A connection for each statement would start a process for each.
  const connectionString = await postgresUrl();
  hand ??= new pg.Pool({ connectionString, allowExitOnIdle: true }).on("error", () => {
    // A test has ended all sessions; the next statement gets another one.
  });
  return (await hand.query(sql, values)).rows as Row[];
}

/** Like `byHand`, in a session of its own, which has read nothing and knows no plans. */
export async function inNewSession(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: await postgresUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function start(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "postgres-"));
  chmodSync(directory, 0o700);
  const [prefix, ...rest] = asOrdinaryUser();
  if (prefix) {
    chownSync(directory, 65_534, 65_534);
  }
  const run = [...(prefix ? [prefix, ...rest] : []), join(programs as string, "initdb")];
  const data = join(directory, "data");
  execFileSync(
    run[0] as string,
    [
      ...run.slice(1),
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "trust",
      "-E",
      "UTF8",
      "--no-locale",
      "-N",
    ],
    { stdio: "ignore", cwd: directory },
  );
  const settings = {
    listen_addresses: "",
    unix_socket_directories: directory,
    max_connections: 200,
    // Nothing here outlives the test, and a process that is killed loses nothing without a sync.
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    shared_buffers: "64MB",
  };
  const server = [
    ...(prefix ? [prefix, ...rest] : []),
    join(programs as string, "postgres"),
    ...["-D", data],
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  // The pipe closes with this process, however it ends; then the server goes, and what it wrote.
  const script = `"$@" >${data}/log 2>&1 & server=$!; read -r _; kill -QUIT $server; wait $server; rm -rf ${directory}`;
  const child = spawn("sh", ["-c", script, "sh", ...server], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: directory,
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  const url = `postgres://postgres@/postgres?host=${directory}`;
  await untilReady(url);
  return url;
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (tries >= 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
