/**
 * Two installations of one bot on one PostgreSQL, as on two machines, updated at the same time while somebody
 * writes: the script makes them go one after the other.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findPostgres } from "../../lab/drill/machines/postgres-programs.ts";
import { PostgresServer } from "../../lab/drill/machines/postgres-server.ts";
import { startWriting } from "../support/steady-writer.ts";
import { setupInstallation } from "./installation.ts";

const missing = findPostgres() ? "" : " (skipped: no PostgreSQL; install Debian's postgresql)";

test.skipIf(missing !== "")(
  `two machines that are updated at the same time go one after the other, and nobody notices${missing}`,
  { timeout: 900_000 },
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
    const one = await setupInstallation(settings);
    const two = await setupInstallation(settings, one);
    const machines = [one, two];
    for (const machine of machines) {
      const installed = await machine.deploy("--env", "test", "--token-file", machine.tokenFile);
      expect(installed, installed.output).toMatchObject({ code: 0 });
    }
    const before = machines.map((machine) => machine.version());

    const endWriting = startWriting(one.sandbox, { everyMs: 200, userId: 5_000 });
    for (const machine of machines) {
      machine.commit("bot/start.ts", (text) => `${text}\n// Another version.\n`);
    }
    const updated = await Promise.all(machines.map((machine) => machine.deploy("--update")));
    const { counts, findings, longestMs } = await endWriting();
    console.log(
      `longest from a message to its answer: ${longestMs} ms (${counts.updates} messages)`,
    );

    for (const { code, output } of updated) {
      expect(code, output).toBe(0);
      expect(output).toMatch(/meanwhile process \d+ on .* answers/);
      expect(output).not.toContain("backup:");
    }
    expect(updated.some(({ output }) => output.includes("waiting for its end"))).toBe(true);
    expect(machines.map((machine) => machine.version())).not.toEqual(before);
    expect(findings).toEqual([]);
    expect(counts).toMatchObject({ lost: 0, repliesDuplicated: 0, orderViolations: 0 });
    expect(counts.updates).toBeGreaterThan(20);
  },
);
