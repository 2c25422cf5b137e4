/** The turn of an update: tests that it is kept until the script ends, whatever becomes of its session. */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runOperatorProgram } from "../../support/operator-program.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../../support/postgres.ts";

test.skipIf(noPostgres)(
  `the turn is taken again when its session is lost, and ends with the script${orSkipped}`,
  { timeout: 60_000 },
  async () => {
    const home = mkdtempSync(join(tmpdir(), "turn-"));
    const script = spawn("sleep", ["600"]);
    onTestFinished(() => {
      script.kill();
      rmSync(home, { recursive: true });
    });
    const botId = randomInt(1e9, 2e9);
    const holders = async () => {
      const rows = await byHand<{ pid: number }>(
        `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
          AND (classid::bigint << 32) | objid::bigint = hashtextextended('bot_${botId}:update', 0)`,
      );
      return rows.map(({ pid }) => pid);
    };
    const ended = runOperatorProgram("doctor/update-turn", home, [String(script.pid), "20"], {
      DATABASE_URL: await postgresUrl(),
      TELEGRAM_BOT_TOKEN: `${botId}:${"a".repeat(35)}`,
    });
    await expect.poll(holders).toHaveLength(1);
    const [first] = await holders();
    await byHand("SELECT pg_terminate_backend($1)", [first as number]);
    await expect.poll(holders).toEqual([expect.not.toSatisfy((pid) => pid === first)]);
    script.kill();
    const { exitCode, output } = await ended;
    expect(output).toContain("no other process works");
    expect(output).toContain("the turn was lost with its session; taking it again");
    expect(exitCode).toBe(0);
    expect(await holders()).toEqual([]);
  },
);
