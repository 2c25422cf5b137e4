/**
 * Two installations of one bot on one PostgreSQL, as on two machines, updated at the same time while somebody
 * writes: the script makes them go one after the other.
 */
import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../support/postgres.ts";
import { startWriting } from "../support/steady-writer.ts";
import { setupInstallation } from "./installation.ts";

test.skipIf(noPostgres)(
  `two machines that are updated at the same time go one after the other, and nobody notices${orSkipped}`,
  { timeout: 900_000 },
  async () => {
    const settings = {
      DATABASE_URL: await postgresUrl(),
      ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      FLOOD_LIMITS_ENABLED: "false",
    };
    const one = await setupInstallation(settings);
    const two = await setupInstallation(settings, one);
    const machines = [one, two];
    const schema = `bot_${one.token.split(":")[0]}`;
    onTestFinished(() => byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`).then(() => {}));
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

    // A version that never becomes ready goes back, although it has brought the schema up to date.
    two.commit(
      "bot/start.ts",
      (text) => `if (!process.argv.includes("--check")) process.exit(70);\n${text}`,
    );
    const failed = await two.deploy("--update", "--ready-seconds", "5");
    expect(failed.output).toContain("runs again, nothing is lost");
    expect(failed.code).toBe(1);
  },
);
