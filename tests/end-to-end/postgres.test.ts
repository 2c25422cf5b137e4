/**
 * The bot on PostgreSQL under `kill -9`: people write and buy while the process dies again and again, and
 * while the database drops all its sessions.
 */
import { expect, onTestFailed, onTestFinished, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../support/postgres.ts";

const schema = `bot_${sandboxToken.split(":")[0]}`;
const writers = [5_001, 5_002, 5_003, 5_004, 5_005, 5_006];
const commands = ["/start", "/help", "/balance", "/orders", "hello", "/help"];
const replies = [/^(Hello|Welcome)/, /^This is what/, /^Balance:/, /^You have no/, /^I understand/];
const replyTo = (text: string) => ["/start", "/help", "/balance", "/orders", "hello"].indexOf(text);

test.skipIf(noPostgres)(
  `P1 P2 P5: on PostgreSQL nothing is lost, doubled or reordered by kills and lost sessions${orSkipped}`,
  { timeout: 240_000 },
  async () => {
    const url = await postgresUrl();
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    const { bot, sandbox } = await setupLiveBot({ DATABASE_URL: url });
    onTestFinished(async () => {
      await bot.kill();
      await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    });
    onTestFailed(() => console.log(bot.output.slice(-6_000)));
    bot.start();
    for (const [turn, text] of commands.entries()) {
      for (const userId of writers) await sandbox.write({ userId, text });
      await bot.monitoringUrl();
      await pause(300 * turn);
      if (turn % 2 === 0) {
        await bot.kill();
        bot.start();
      } else {
        await byHand(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bot'",
        );
      }
    }
    await eventually("all is confirmed", async () => (await sandbox.queue()).pending === 0, 60_000);
    await eventually("the queue is empty", () => isQueueEmpty(bot), 60_000);
    expect(await bot.stop()).toBe(0);

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
    // What remains is the next run of the schedule, once, however often the bot was started.
    expect(await byHand(`SELECT key FROM ${schema}.messages`)).toEqual([
      { key: "schedule:reconcile" },
    ]);
    expect(await byHand(`SELECT * FROM ${schema}.processes WHERE ended IS NULL`)).toEqual([]);
  },
);
