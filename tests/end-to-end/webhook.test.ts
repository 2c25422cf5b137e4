/** Webhook end to end: Telegram brings updates to the real process, which is killed meanwhile. */
import { expect, onTestFinished, test } from "vitest";
import { BotProcess, eventually } from "../../lab/drill/bot-process.ts";
import { freePort } from "../../sandbox/ensure.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";

const users = 200;
const firstUserId = 9_000;

async function setupWebhook() {
  const port = String(await freePort("127.0.0.1"));
  return setupLiveBot(
    {
      UPDATE_MODE: "webhook",
      WEBHOOK_URL: `http://127.0.0.1:${port}/telegram`,
      WEBHOOK_SECRET: "a-secret-of-telegrams",
      WEBHOOK_PORT: port,
      FLOOD_LIMITS_ENABLED: "false",
    },
    ["--flood", "off"],
  );
}

test("every update that Telegram brings is answered, over kills, and confirmed on disk only", {
  timeout: 90_000,
}, async () => {
  const { bot, sandbox } = await setupWebhook();
  bot.start();
  await bot.monitoringUrl();
  for (let user = 0; user < users; user++) {
    await sandbox.write({ userId: firstUserId + user, text: "/start" });
    if (user % 50 === 25) {
      await bot.kill();
      bot.start();
    }
  }
  await eventually(
    "every update is confirmed",
    async () => (await sandbox.queue()).pending === 0,
    60_000,
  );
  await eventually("the queue is empty", () => isQueueEmpty(bot), 60_000);
  const answered = (await sandbox.journalAll()).filter(
    ({ executed, method, parameters }) =>
      executed && method === "sendMessage" && /^Hello/.test(parameters["text"] ?? ""),
  );
  expect(new Set(answered.map(({ chatId }) => chatId)).size).toBe(users);
  const health = await fetch(`${await bot.monitoringUrl()}/api/health`);
  expect(await health.json()).toMatchObject({
    data: { checks: { telegram: { state: "listening" } } },
  });
  expect(await bot.stop()).toBe(0);
});

test("a webhook left behind gives way to polling, and what waited for it is answered", async () => {
  const { bot, directory, sandbox } = await setupWebhook();
  bot.start();
  await eventually("it is set", async () =>
    (await sandbox.journalAll()).some(({ method }) => method === "setWebhook"),
  );
  expect(await bot.stop()).toBe(0);
  await sandbox.write({ userId: firstUserId, text: "/start" });

  const polling = new BotProcess({ directory, apiRoot: sandbox.url, token: sandboxToken });
  onTestFinished(() => polling.kill());
  polling.start();
  await sandbox.waitForMessage(firstUserId, ({ text }) => /^Hello/.test(text ?? ""), {
    timeoutMs: 20_000,
  });
});
