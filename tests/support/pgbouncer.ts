/** pgbouncer for tests: Debian's, before the test's own PostgreSQL, until the test is over. */
import { spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { asOrdinaryUser } from "../../lab/drill/machines/postgres-programs.ts";
import { freePort } from "../../sandbox/ensure.ts";
import { noPostgres, ownServer, postgresUrl } from "./postgres.ts";

const program = "/usr/sbin/pgbouncer";

/** Why no test can use it here; `undefined` when they can. */
export const noPgbouncer = (() => {
  if (noPostgres) return noPostgres;
  if (!ownServer) return "pgbouncer is tested before a server of our own only";
  return existsSync(program) ? undefined : "no pgbouncer: install Debian's pgbouncer";
})();

/** @returns the address of the database behind it. */
export async function startPgbouncer(mode: "session" | "transaction"): Promise<string> {
  const socket = new URL((await postgresUrl()).replace("@/", "@unused/")).searchParams.get("host");
  const port = await freePort("127.0.0.1");
  const directory = mkdtempSync(join(tmpdir(), "pgbouncer-"));
  const file = join(directory, "pgbouncer.ini");
  writeFileSync(
    file,
    `[databases]
postgres = host=${socket} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
ignore_startup_parameters = extra_float_digits
`,
  );
  const [prefix, ...rest] = asOrdinaryUser();
  if (prefix) {
    chmodSync(directory, 0o755);
    chownSync(directory, 65_534, 65_534);
  }
  const [command = program, ...words] = [...(prefix ? [prefix, ...rest] : []), program, file];
  const child = spawn(command, words, { stdio: "ignore", cwd: directory });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });
  await untilListening(port);
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const listens = await new Promise<boolean>((resolve) => {
      const probe = connect(port, "127.0.0.1");
      probe.once("connect", () => resolve(true));
      probe.once("error", () => resolve(false));
      probe.once("close", () => probe.destroy());
    });
    if (listens) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("pgbouncer did not come up");
}
