/**
 * Rolling update: two processes on one PostgreSQL, stopped and started one after the other while somebody
 * writes all the time, and while a newer version adds to the tables that the older one works on.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, onTestFailed, onTestFinished, test } from "vitest";
import type { ProcessEntry } from "../../bot/core/processes.ts";
import type { Role } from "../../bot/core/roles.ts";
import { BotProcess, eventually } from "../../lab/drill/bot-process.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { setupLiveBot } from "../support/live-bot.ts";
import { addByNewer } from "../support/newer-schema.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../support/postgres.ts";
import { startWriting } from "../support/steady-writer.ts";

const schema = `bot_${sandboxToken.split(":")[0]}`;

interface Processes {
  readonly processes: readonly Pick<ProcessEntry, "self" | "roles">[];
}

const hasRole = async (bot: BotProcess, role: Role) => {
  const { processes } = (await bot.ask<Processes>("/api/processes")) ?? { processes: [] };
  return processes.some(({ roles, self }) => self && roles.some((one) => one.role === role));
};

test.skipIf(noPostgres)(
  `P1 P2 P5: an update of one process after the other loses, doubles and reorders nothing${orSkipped}`,
  { timeout: 240_000 },
  async () => {
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    const env = {
      DATABASE_URL: await postgresUrl(),
      ENCRYPTION_KEY: randomBytes(32).toString("base64"),
      FLOOD_LIMITS_ENABLED: "false",
    };
    const { apiRoot, bot: one, directory, sandbox } = await setupLiveBot(env, ["--flood", "off"]);
    const own = join(directory, "two");
    const two = new BotProcess({ apiRoot, directory: own, env, token: sandboxToken });
    const bots = [one, two];
    onTestFinished(async () => {
      await Promise.all(bots.map((bot) => bot.kill()));
      await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    });
    onTestFailed(() => {
      for (const bot of bots) console.log(bot.output.slice(-6_000));
    });
    for (const bot of bots) {
      bot.start();
      await bot.monitoringUrl();
    }
    await eventually("the first one polls and sends", async () => {
      return (await hasRole(one, "intake")) && (await hasRole(one, "sending"));
    });

    const endWriting = startWriting(sandbox, { everyMs: 100, userId: 5_000 });
    await eventually("people are answered", async () => (await sandbox.journalAll()).length > 20);
    for (const bot of bots) {
      expect(await bot.stop()).toBe(0);
      const other = bot === one ? two : one;
      await eventually("the other one polls and sends", async () => {
        return (await hasRole(other, "intake")) && (await hasRole(other, "sending"));
      });
      // The new version's first start adds to the tables, and the old version works on.
      if (bot === one) await addByNewer(schema);
      bot.start();
      await bot.monitoringUrl();
    }
    const { counts, findings, longestMs } = await endWriting();
    console.log(
      `longest from a message to its answer: ${longestMs} ms (${counts.updates} messages)`,
    );
    expect(findings).toEqual([]);
    expect(counts).toMatchObject({ lost: 0, repliesDuplicated: 0, orderViolations: 0 });
    expect(counts.updates).toBeGreaterThan(20);
    expect(await byHand(`SELECT * FROM ${schema}.dead_letters`)).toEqual([]);
    expect(await Promise.all(bots.map((bot) => bot.stop()))).toEqual([0, 0]);
  },
);
