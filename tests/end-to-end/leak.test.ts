/** A leak in the real process: it notices, drains, ends with 0, and the next one answers. */
import { expect, test } from "vitest";
import { setupLiveBot } from "../support/live-bot.ts";

test("memory above its limit ends the process cleanly, with its cause on record", {
  timeout: 90_000,
}, async () => {
  const { bot, sandbox } = await setupLiveBot({ MEMORY_LIMIT_MB: "256" });
  bot.start();
  await bot.sabotage({ kind: "leak" });
  expect(await bot.ended()).toBe(0);
  bot.start();
  await sandbox.write({ userId: 1, text: "/start" });
  await sandbox.waitForMessage(1, ({ text }) => text?.startsWith("Hello") ?? false, {
    timeoutMs: 15_000,
  });
  const answer = await fetch(`${await bot.monitoringUrl()}/api/status`);
  const { data } = (await answer.json()) as { data: { restarts: readonly { end?: object }[] } };
  expect(data.restarts[1]?.end).toMatchObject({ cause: "restart: memory-leak", clean: true });
  expect(await bot.stop()).toBe(0);
});
