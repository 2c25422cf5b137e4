/** How much of Telegram's rate a broadcast uses: judged by the clock, so the machine is this file's alone. */
import { expect, test } from "vitest";
import { floodRules } from "../../lab/bench/flood.ts";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import { setupLiveBroadcast } from "../support/live-broadcast.ts";

const chats = 400;

test("a saturated sender uses at least 95 % of the allowed rate, and replies stay quick", {
  timeout: 120_000,
  retry: 2,
}, async () => {
  const { bot, sandbox } = await setupLiveBroadcast(chats);
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
  expect(await sandbox.violations({ rules: floodRules })).toEqual([]);
  expect(used).toBeGreaterThanOrEqual(0.95);
});
