/**
 * The production profile under kills: no protective device is switched off here, and none may silence
 * the bot (P13).
 */
import { expect, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import { productionProfile } from "../../lab/drill/production-profile.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import { setupLiveBot } from "../support/live-bot.ts";

const kills = 12;
const people = Array.from({ length: 240 }, (_, index) => 20_000 + index);

/** People who have been answered `/start` and `/help`. */
async function answered(sandbox: SandboxClient): Promise<number> {
  const journal = await sandbox.journalAll({ method: "sendMessage" });
  const texts = Map.groupBy(journal, ({ parameters }) => Number(parameters["chat_id"]));
  const has = (userId: number, start: RegExp) =>
    texts.get(userId)?.some(({ parameters }) => start.test(parameters["text"] ?? "")) ?? false;
  return people.filter((id) => has(id, /^(Hello|Welcome back)/) && has(id, /^This is what I/))
    .length;
}

test("P13: after twelve kills within a minute everybody is answered within another one", {
  timeout: 240_000,
}, async () => {
  const { bot, sandbox } = await setupLiveBot(productionProfile);
  bot.start();
  await bot.monitoringUrl();
  const share = people.length / kills;
  for (let kill = 0; kill < kills; kill++) {
    for (const userId of people.slice(kill * share, (kill + 1) * share)) {
      await sandbox.write({ userId, text: "/start" });
      await sandbox.write({ userId, text: "/help" });
    }
    await pause(1_000);
    await bot.kill();
    bot.start();
    await bot.monitoringUrl();
  }
  const startedAtMs = performance.now();
  await eventually(
    "everybody is answered",
    async () => (await answered(sandbox)) === people.length,
    60_000,
  );
  const tookS = (performance.now() - startedAtMs) / 1_000;
  console.log(`all ${people.length} answered ${tookS.toFixed(1)} s after the last start`);
  const health = await fetch(`${await bot.monitoringUrl()}/api/health`);
  const { data } = (await health.json()) as { data: { checks: Record<string, object> } };
  expect(data.checks["restarts"]).toMatchObject({ deaths: kills });
  expect(await bot.stop()).toBe(0);
});

const limitedFor = (retryAfterS: number) => ({ kind: "error", status: 429, retryAfterS }) as const;

interface ShownHold {
  readonly kind: string;
  readonly lane?: string;
  readonly untilEpochMs: number | null;
}

test("P13: three chats that Telegram limits for an hour keep ten others waiting for seconds only", {
  timeout: 120_000,
}, async () => {
  const { bot, sandbox } = await setupLiveBot(productionProfile);
  bot.start();
  const url = await bot.monitoringUrl();
  const limited = [31_001, 31_002, 31_003];
  const others = Array.from({ length: 10 }, (_, index) => 32_000 + index);
  for (const chatId of limited) {
    await sandbox.addFault({ match: "sendMessage", chatId, fault: limitedFor(3_600) });
  }
  for (const userId of limited) await sandbox.write({ userId, text: "/start" });
  await eventually("the bot has met the limit three times", async () => {
    const journal = await sandbox.journalAll({ method: "sendMessage" });
    return journal.filter(({ status }) => status === 429).length >= limited.length;
  });
  const startedAtMs = performance.now();
  for (const userId of others) await sandbox.write({ userId, text: "/start" });
  const told = async () => {
    const journal = await sandbox.journalAll({ method: "sendMessage" });
    const to = journal.filter(({ status }) => status === 200);
    return new Set(to.map(({ parameters }) => Number(parameters["chat_id"])));
  };
  await eventually(
    "the ten others are answered",
    async () => others.every(async (userId) => (await told()).has(userId)),
    20_000,
  );
  console.log(
    `the others were answered after ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`,
  );
  const answer = await fetch(`${url}/api/holds`);
  const { data } = (await answer.json()) as { data: { holds: readonly ShownHold[] } };
  const lanes = data.holds.filter(({ kind }) => kind === "chat-rate-limited");
  for (const { untilEpochMs } of lanes) {
    expect(Number(untilEpochMs) - Date.now()).toBeLessThan(3_600_000);
  }
  expect(lanes.length).toBeGreaterThan(0);
  expect(await bot.stop()).toBe(0);
});

test("P13: a method that Telegram refuses to one chat for 20 hours does not silence the chat", {
  timeout: 120_000,
}, async () => {
  const { bot, sandbox } = await setupLiveBot(productionProfile);
  bot.start();
  const url = await bot.monitoringUrl();
  const chatId = 33_001;
  await sandbox.addFault({ match: "sendMessage", chatId, count: 1, fault: limitedFor(73_414) });
  await sandbox.write({ userId: chatId, text: "/start" });
  await sandbox.write({ userId: chatId, text: "/help" });
  await eventually(
    "the second answer",
    async () => {
      const journal = await sandbox.journalAll({ method: "sendMessage" });
      return journal.some(
        ({ parameters, status }) =>
          status === 200 && /^This is what I/.test(parameters["text"] ?? ""),
      );
    },
    20_000,
  );
  const answer = await fetch(`${url}/api/dead-letters?reason=rate-limited`);
  const { data } = (await answer.json()) as { data: { total: number } };
  expect(data.total).toBe(1);
  expect(await bot.stop()).toBe(0);
});
