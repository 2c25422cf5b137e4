/**
 * Telegram's limits under a broadcast, bursts of replies and restarts, read from the sandbox's journal:
 * no sliding window holds more than the limit, and the allowed rate is used.
 */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import type { JournalEntry } from "../../sandbox/control-api.ts";
import { isAmbiguous } from "../../sandbox/flood/repetitions.ts";
import { setupLiveBot } from "../support/live-bot.ts";

const file = fileURLToPath(new URL("../../lab/drill/mains/broadcast-main.ts", import.meta.url));
const firstChatId = 20_000;
const chats = 400;
const groupTexts = 24;
/** All but `possible-duplicate`: a process that dies between a send and its answer sends again. */
const rules = [
  "chat-per-second",
  "group-per-minute",
  "bot-per-second",
  "send-after-block",
  "duplicate",
  "order-broken",
] as const;

test("a broadcast, bursts of replies and kills never exceed a limit, and repeat no message", {
  timeout: 240_000,
}, async () => {
  const { bot, sandbox } = await setup();
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

  expect(await sandbox.violations({ rules })).toEqual([]);
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

test("a saturated sender uses at least 95 % of the allowed rate, and replies stay quick", {
  timeout: 120_000,
  retry: 2,
}, async () => {
  const { bot, sandbox } = await setup();
  bot.start();
  await bot.monitoringUrl();
  await pause(3_000);
  await sandbox.write({ userId: 9, text: "/help" });
  await sandbox.waitForMessage(9, (message) => message.text?.startsWith("This is") ?? false);
  const sends = await eventually("the broadcast is sent", async () => {
    const entries = await sandbox.journalAll({ method: "sendMessage" });
    return entries.length > chats && entries;
  });
  const arrivals = sends.map((entry) => entry.arrivedAtMs);
  const first = Math.min(...arrivals) + 1_000;
  const last = Math.max(...arrivals) - 1_000;
  const within = arrivals.filter((at) => at >= first && at < last).length;
  const used = within / (((last - first) / 1000) * 30);
  console.log(`${(used * 100).toFixed(1)} % of the allowed rate was used`);
  expect(await sandbox.violations({ rules })).toEqual([]);
  expect(used).toBeGreaterThanOrEqual(0.95);
});

async function setup() {
  const env = { BROADCAST_FIRST_CHAT: String(firstChatId), BROADCAST_CHATS: String(chats) };
  const live = await setupLiveBot(env, [], { file });
  for (let index = 0; index < chats; index++) {
    await live.sandbox.createUser({ id: firstChatId + index, firstName: "Ann", started: true });
  }
  return live;
}
