/**
 * Two processes on one PostgreSQL under `kill -9`: people write while one after the other dies, and while
 * the database drops all their sessions. Meanwhile a data key is rotated.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, onTestFailed, onTestFinished, test } from "vitest";
import { BotProcess, eventually, pause } from "../../lab/drill/bot-process.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";
import { type ProgramResult, runOperatorProgram } from "../support/operator-program.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../support/postgres.ts";

const schema = `bot_${sandboxToken.split(":")[0]}`;
const writers = [5_001, 5_002, 5_003, 5_004, 5_005, 5_006];
const commands = ["/start", "/help", "/balance", "/orders", "hello", "/help"];
const replies = [/^(Hello|Welcome)/, /^This is what/, /^Balance:/, /^You have no/, /^I understand/];
const replyTo = (text: string) => ["/start", "/help", "/balance", "/orders", "hello"].indexOf(text);

const idleSeconds = 5;

/** What each of the two idle processes costs the database. */
async function transactionsPerSecond(): Promise<number> {
  const count = async () => {
    const [row] = await byHand<{ count: string }>(
      "SELECT sum(xact_commit + xact_rollback) AS count FROM pg_stat_database",
    );
    return Number(row?.count);
  };
  const before = await count();
  await pause(idleSeconds * 1_000);
  return ((await count()) - before) / idleSeconds / 2;
}

test.skipIf(noPostgres)(
  `P1 P2 P5 P6: two processes on one PostgreSQL lose, double and reorder nothing by kills and lost sessions${orSkipped}`,
  { timeout: 240_000 },
  async () => {
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    const env = {
      DATABASE_URL: await postgresUrl(),
      ENCRYPTION_KEY: randomBytes(32).toString("base64"),
    };
    const { apiRoot, bot: one, directory, sandbox } = await setupLiveBot(env);
    const own = join(directory, "two");
    const two = new BotProcess({
      directory: own,
      apiRoot,
      token: sandboxToken,
      env,
      sabotaged: false,
    });
    const bots = [one, two];
    onTestFinished(async () => {
      await Promise.all(bots.map((bot) => bot.kill()));
      await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    });
    onTestFailed(() => {
      for (const bot of bots) console.log(bot.output.slice(-6_000));
    });
    for (const bot of bots) bot.start();
    await Promise.all(bots.map((bot) => bot.monitoringUrl()));
    let rotated: Promise<ProgramResult> | undefined;
    for (const [turn, text] of commands.entries()) {
      if (turn === 3) {
        const all = { ...env, TELEGRAM_BOT_TOKEN: sandboxToken };
        rotated = runOperatorProgram("rotate-key", directory, [], all);
      }
      for (const userId of writers) await sandbox.write({ userId, text });
      await pause(300 * turn);
      if (turn % 3 === 2) {
        await byHand(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bot'",
        );
        continue;
      }
      const victim = bots[turn % 3] as BotProcess;
      await victim.kill();
      victim.start();
      await victim.monitoringUrl();
      if (turn !== 4) continue;
      expect((await rotated)?.output).toContain("All data are encrypted with data key 2");
    }
    await eventually("all is confirmed", async () => (await sandbox.queue()).pending === 0, 60_000);
    await eventually("the queue is empty", () => isQueueEmpty(one), 60_000);
    const rate = await transactionsPerSecond();
    console.log(`${rate} transactions a second of an idle process`);
    expect(rate).toBeLessThan(20);
    expect(await Promise.all(bots.map((bot) => bot.stop()))).toEqual([0, 0]);

    const journal = await sandbox.journalAll();
    for (const userId of writers) {
      const texts = journal
        .filter(
          ({ method, parameters }) =>
            method === "sendMessage" && Number(parameters["chat_id"]) === userId,
        )
        .map(({ parameters }) => String(parameters["text"]));
      const seen = texts.map((text) => replies.findIndex((reply) => reply.test(text)));
      // A send that was under way at a kill is ambiguous, and may be there twice.
      const once = seen.filter((reply, index) => reply !== seen[index - 1]);
      expect(once).toEqual(commands.map(replyTo));
    }
    const rows = await byHand<{ user_id: string }>(
      `SELECT user_id FROM ${schema}.ledger ORDER BY 1`,
    );
    expect(rows.map(({ user_id }) => Number(user_id))).toEqual(writers);
    expect(await byHand(`SELECT * FROM ${schema}.dead_letters`)).toEqual([]);
    expect(await byHand(`SELECT id FROM ${schema}.data_keys`)).toEqual([{ id: 2 }]);
    // What remains is the next run of the schedule, once, however often the bots were started.
    expect(await byHand(`SELECT key FROM ${schema}.messages`)).toEqual([
      { key: "schedule:reconcile" },
    ]);
    expect(await byHand(`SELECT * FROM ${schema}.processes WHERE ended IS NULL`)).toEqual([]);
  },
);
