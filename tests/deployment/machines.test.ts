/**
 * An installation beside another process of the same bot on PostgreSQL, as on two machines, updated while somebody
 * writes: its script waits for its turn, and the other process answers meanwhile.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { updateLockSql } from "../../bot/storage/postgres/session-locks.ts";
import { BotProcess, eventually, pause } from "../../lab/drill/bot-process.ts";
import { findPostgres } from "../../lab/drill/machines/postgres-programs.ts";
import { PostgresServer } from "../../lab/drill/machines/postgres-server.ts";
import { startWriting } from "../support/steady-writer.ts";
import { setupInstallation } from "./installation.ts";

const missing = findPostgres() ? "" : " (skipped: no PostgreSQL; install Debian's postgresql)";

test.skipIf(missing !== "")(
  `a machine that updates the bot waits for another one's update, and nobody is left unanswered${missing}`,
  { timeout: 600_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "machines-"));
    chmodSync(directory, 0o755);
    const database = await PostgresServer.create(join(directory, "server"));
    await database.start();
    onTestFinished(async () => {
      await database.stop("QUIT");
      rmSync(directory, { recursive: true, force: true });
    });
    const settings = {
      DATABASE_URL: database.url,
      ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      FLOOD_LIMITS_ENABLED: "false",
    };
    const machine = await setupInstallation(settings);
    const { apiRoot, deploy, sandbox, token, tokenFile } = machine;
    const installed = await deploy("--env", "test", "--token-file", tokenFile);
    expect(installed, installed.output).toMatchObject({ code: 0 });
    const other = new BotProcess({ apiRoot, directory, env: settings, token });
    onTestFinished(() => other.kill());
    other.start();
    await other.monitoringUrl();

    const turn = new pg.Client(database.url);
    await turn.connect();
    onTestFinished(() => turn.end());
    await turn.query(updateLockSql, [`bot_${token.split(":")[0]}`]);
    const before = machine.version();
    machine.commit("bot/start.ts", (text) => `${text}\n// Another version.\n`);
    const endWriting = startWriting(sandbox, { everyMs: 200, userId: 5_000 });
    const update = deploy("--update");
    const asks = join(machine.directory, "releases", ".turn");
    await eventually("the script asks for its turn", async () => existsSync(asks), 300_000);
    await pause(3_000);
    await turn.query("SELECT pg_advisory_unlock_all()");
    const { code, output } = await update;
    const { counts, findings, longestMs } = await endWriting();
    console.log(
      `longest from a message to its answer: ${longestMs} ms (${counts.updates} messages)`,
    );

    expect(code, output).toBe(0);
    expect(output).toContain("waiting for its end");
    expect(output).toMatch(/meanwhile process \d+ on .* answers/);
    expect(machine.version()).not.toBe(before);
    expect(findings).toEqual([]);
    expect(counts).toMatchObject({ lost: 0, repliesDuplicated: 0, orderViolations: 0 });
    expect(counts.updates).toBeGreaterThan(20);
  },
);
