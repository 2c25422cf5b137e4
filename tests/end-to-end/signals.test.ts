/** Signals: the real process under every signal that a machine, a terminal or a neighbour sends it. */
import { expect, test } from "vitest";
import { pause } from "../../lab/drill/bot-process.ts";
import { setupLiveBot } from "../support/live-bot.ts";

const production = { NODE_ENV: "production", MONITORING_PORT: "0" };

test("a terminal that closes (SIGHUP) drains and stops the bot, as SIGTERM does", async () => {
  const { bot, sandbox } = await setupLiveBot(production, [], { sabotaged: false });
  bot.start();
  await bot.monitoringUrl();
  await sandbox.feed({ count: 50, users: 10, text: "/help" });
  expect(await bot.stop("SIGHUP")).toBe(0);
  expect(bot.output).toContain('"reason":"SIGHUP"');
});

test("SIGUSR1 opens no inspector and SIGUSR2 ends nothing: the bot goes on and answers", async () => {
  const { bot, sandbox } = await setupLiveBot(production, [], { sabotaged: false });
  bot.start();
  await bot.monitoringUrl();
  const { pid = 0 } = bot;
  process.kill(pid, "SIGUSR1");
  process.kill(pid, "SIGUSR2");
  await pause(500);
  await expect(fetch("http://127.0.0.1:9229/json")).rejects.toThrow();
  expect(bot.output).not.toContain("Debugger listening");
  await sandbox.write({ userId: 1, text: "/start" });
  const hello = ({ text }: { text?: string }) => text?.startsWith("Hello") ?? false;
  await sandbox.waitForMessage(1, hello, { timeoutMs: 15_000 });
  expect(bot.pid).toBe(pid);
  expect(await bot.stop()).toBe(0);
});
