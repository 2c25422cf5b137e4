/** Our bot, unmodified, against a Telegram server of another project: a smoke test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { default as Declared } from "telegram-test-api";
import exported from "telegram-test-api";
import { expect, onTestFinished, test } from "vitest";
import { BotProcess, eventually } from "../../lab/drill/bot-process.ts";
import { freePort } from "../../sandbox/ensure.ts";

// Its types promise a default export that Node.js does not see in its CommonJS.
const TelegramServer = exported as unknown as typeof Declared.default;
const token = "123456:TEST-token-aaaaaaaaaaaaaaaaaaaaaaaa";

test("it greets, and answers a press", { timeout: 60_000 }, async () => {
  const server = new TelegramServer({
    port: await freePort("127.0.0.1"),
    host: "127.0.0.1",
    storeTimeout: 60,
  });
  await server.start();
  const directory = mkdtempSync(join(tmpdir(), "foreign-server-"));
  const bot = new BotProcess({ directory, apiRoot: server.config.apiURL, token });
  onTestFinished(async () => {
    await bot.kill();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  bot.start();
  const ann = { userId: 42, chatId: 42, firstName: "Ann", timeout: 20_000 };
  const client = server.getClient(token, ann);
  const texts = async () => {
    const { result } = await client.getUpdates();
    return result.flatMap((update) => ("message" in update ? [update.message] : []));
  };
  await client.sendCommand(client.makeCommand("/start"));
  const [greeting] = await texts();
  expect(greeting).toMatchObject({ text: expect.stringContaining("Hello, Ann") });
  await client.sendCommand(client.makeCommand("/shop"));
  const [shop] = await texts();
  expect(JSON.stringify(shop)).toContain("item:");
  const chat = { id: 42, type: "private", first_name: "Ann" };
  const message = { message_id: 3, chat, date: 0, text: "shop" };
  await client.sendCallback(client.makeCallbackQuery("item:latte", { message } as never));
  const question = await eventually("the question", async () => {
    const [asked] = await texts();
    return asked && JSON.stringify(asked);
  });
  expect(question).toContain("buy:latte");
  expect(await bot.stop()).toBe(0);
});
