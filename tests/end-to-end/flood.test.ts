/**
 * Telegram's limits under a broadcast, bursts of replies and restarts, read from the sandbox's journal:
 * no sliding window holds more than the limit.
 */
import { expect, test } from "vitest";
import { floodRules } from "../../lab/bench/flood.ts";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import type { JournalEntry } from "../../sandbox/control-api.ts";
import { isAmbiguous } from "../../sandbox/flood/repetitions.ts";
import { setupLiveBroadcast } from "../support/live-broadcast.ts";

const chats = 400;
const groupTexts = 24;

test("a broadcast, bursts of replies and kills never exceed a limit, and repeat no message", {
  timeout: 240_000,
}, async () => {
  const { bot, sandbox } = await setupLiveBroadcast(chats);
  bot.start();
  await bot.monitoringUrl();
  const group = await sandbox.createGroup({ title: "Group", type: "supergroup", memberIds: [1] });
  for (let index = 0; index < groupTexts; index++) {
    await sandbox.write({ userId: 1, chatId: group.id, text: "/help" });
  }
  for (let turn = 0; turn < 3; turn++) {
    await sandbox.feed({ count: 90, users: 30, firstUserId: 1_000, text: "/help" });
    await pause(2_500);
    await bot.kill();
    bot.start();
    await bot.monitoringUrl();
  }
  const expected = chats + 270 + groupTexts;
  const sends = await eventually(
    "everything is sent",
    async () => {
      const executed = await executedSends();
      return executed.length >= expected && executed;
    },
    200_000,
  );
  expect(await bot.stop()).toBe(0);

  expect(await sandbox.violations({ rules: floodRules })).toEqual([]);
  expect(sends.filter((entry) => entry.status === 429)).toEqual([]);
  const news = sends.filter((entry) => entry.parameters["text"]?.startsWith("News"));
  const reached = new Set(news.map((entry) => entry.chatId));
  expect(reached.size).toBe(chats);
  const repeated = news.length - reached.size;
  const ambiguous = news.filter(isAmbiguous).length;
  expect(repeated).toBeLessThanOrEqual(ambiguous);

  async function executedSends(): Promise<JournalEntry[]> {
    const entries = await sandbox.journalAll({ method: "sendMessage" });
    return entries.filter((entry) => entry.executed);
  }
});
