/**
 * The production profile under kills: no protective device is switched off here, and none may silence
 * the bot (P13).
 */
import { expect, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import { setupLiveBot } from "../support/live-bot.ts";

/** Only what must differ on a machine where other bots run beside it. */
const changes = { NODE_ENV: "production", MONITORING_PORT: "0" };

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
  const { bot, sandbox } = await setupLiveBot(changes);
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
