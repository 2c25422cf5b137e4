/** Starting, refusing to start, and stopping: the real process and its exit codes. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BotProcess, eventually } from "../../lab/drill/bot-process.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { setupLiveBot } from "../support/live-bot.ts";

const botId = sandboxToken.split(":")[0] ?? "";

test("a stop finishes the work under way, keeps the rest and exits 0", async () => {
  const { bot, sandbox } = await setupLiveBot();
  bot.start();
  await bot.monitoringUrl();
  await sandbox.feed({ count: 200, users: 50, text: "/help" });
  expect(await bot.stop("SIGINT")).toBe(0);

  bot.start();
  await eventually("all are confirmed", async () => (await sandbox.queue()).pending === 0);
  expect(await bot.stop("SIGTERM")).toBe(0);
  const unconfirmed = (await sandbox.facts({ limit: 1_000 })).filter((fact) => fact.end === null);
  expect(unconfirmed).toEqual([]);
});

test("the bot starts without Telegram, and answers as soon as it is there", async () => {
  const { bot, sandbox } = await setupLiveBot();
  await sandbox.write({ userId: 1, text: "/start" });
  void sandbox.outage({ ms: 3_000 }).catch(() => {
    // The outage takes the control API's own connection with it.
  });
  bot.start();
  const health = await fetch(`${await bot.monitoringUrl()}/api/health`);
  expect([200, 503]).toContain(health.status);
  const reply = await eventually("the greeting", async () => {
    const messages = await sandbox.messages({ chatId: 1 }).catch(() => []);
    return messages.find((message) => message.text?.startsWith("Hello"));
  });
  expect(reply.text).toContain("50");
});

test("every configuration problem is reported at once, with exit code 78", async () => {
  const { bot } = await setupLiveBot({
    QUEUE_CONCURRENCY: "many",
    LOG_LEVEL: "loud",
    QUEUE_CONCURENCY: "3",
  });
  bot.start();
  expect(await bot.ended()).toBe(78);
  expect(bot.output).toContain("QUEUE_CONCURRENCY");
  expect(bot.output).toContain("LOG_LEVEL");
  expect(bot.output).toContain("QUEUE_CONCURENCY");
});

test("a catalogue with mistakes ends with exit code 78 and names them", async () => {
  const { bot, directory } = await setupLiveBot();
  const file = join(directory, "catalogue.json");
  writeFileSync(file, JSON.stringify({ currency: "yuan", exponent: 2, products: [] }));
  const broken = new BotProcess({
    directory,
    apiRoot: "http://127.0.0.1:9",
    token: sandboxToken,
    env: { CATALOGUE_FILE: file },
  });
  broken.start();
  expect(await broken.ended()).toBe(78);
  expect(broken.output).toContain("currency");
  expect(broken.output).toContain("products");
  void bot;
});

test("a data directory that cannot be made ends with exit code 74 and says what to do", async () => {
  const { bot, directory } = await setupLiveBot();
  writeFileSync(join(directory, "data"), "a file where a directory should be");
  bot.start();
  expect(await bot.ended()).toBe(74);
  expect(bot.output).toContain("DATA_DIR");
});

test("a file that is no database is left as it is, with exit code 74", async () => {
  const { bot, directory } = await setupLiveBot();
  const file = join(directory, "data", botId, "bot.db");
  mkdirSync(join(directory, "data", botId), { recursive: true });
  const contents = Buffer.alloc(50_000, "not a database ");
  writeFileSync(file, contents);
  bot.start();
  expect(await bot.ended()).toBe(74);
  expect(readFileSync(file).equals(contents)).toBe(true);
  expect(bot.output).toContain("backup");
});

test("a second process on the same data directory is refused with exit code 75", async () => {
  const { bot, directory, sandbox } = await setupLiveBot();
  bot.start();
  await bot.monitoringUrl();
  const second = new BotProcess({ directory, apiRoot: sandbox.url, token: sandboxToken });
  second.start();
  expect(await second.ended()).toBe(75);
  expect(second.output).toContain("DATA_DIR");
  expect(await bot.stop()).toBe(0);
});

test("a monitoring port in use ends with exit code 75 and names its variable", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
  onTestFinished(() => {
    server.close();
  });
  const { bot } = await setupLiveBot({ MONITORING_PORT: String(port) });
  bot.start();
  expect(await bot.ended()).toBe(75);
  expect(bot.output).toContain("MONITORING_PORT");
});

test("the token is in no log line and no output, even when Telegram answers with riddles", async () => {
  const { bot, directory, sandbox } = await setupLiveBot({ LOG_LEVEL: "debug" });
  const html = { kind: "html", status: 502 } as const;
  await sandbox.addFault({ match: "getUpdates", count: 3, fault: html });
  await sandbox.addFault({ match: "getMe", count: 1, fault: { kind: "cut", framing: "chunked" } });
  await sandbox.addFault({ match: "sendMessage", count: 2, fault: { kind: "close" } });
  bot.start();
  await sandbox.write({ userId: 1, text: "/start" });
  await sandbox.waitForMessage(1, (message) => message.text?.startsWith("Hello") ?? false, {
    timeoutMs: 20_000,
  });
  expect(await bot.stop()).toBe(0);
  const secret = sandboxToken.split(":")[1] as string;
  expect(bot.output).not.toContain(secret);
  expect(readLogs(join(directory, "logs"))).not.toContain(secret);
});

function readLogs(directory: string): string {
  const { readdirSync } = process.getBuiltinModule("node:fs");
  return readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), "utf8"))
    .join("\n");
}

test("a data directory that is removed under the bot ends it with exit code 74; nothing more is confirmed", async () => {
  const { bot, directory, sandbox } = await setupLiveBot({
    NODE_ENV: "production",
    MONITORING_PORT: "0",
  });
  bot.start();
  await bot.monitoringUrl();
  await sandbox.write({ userId: 1, text: "/start" });
  await eventually("it is confirmed", async () => (await sandbox.queue()).pending === 0);
  rmSync(join(directory, "data"), { recursive: true, force: true });
  await sandbox.write({ userId: 1, text: "/help" });
  expect(await bot.ended()).toBe(74);
  expect(bot.output).toContain("was removed or replaced while the bot ran");
  expect(bot.output).toContain("DATA_DIR");
  expect((await sandbox.queue()).pending).toBe(1);

  // A supervisor starts it again; it must not go on with a new, empty database.
  bot.start();
  expect(await bot.ended()).toBe(78);
  expect(bot.output).toContain("is missing; it was used here before");
  const confirm = /rm '([^']+)'/.exec(bot.output)?.[1] ?? "";
  expect(confirm).toContain(join(directory, "logs"));
  expect((await sandbox.queue()).pending).toBe(1);
  rmSync(confirm);
  bot.start();
  await eventually("it begins anew", async () => (await sandbox.queue()).pending === 0);
});

test("an idle bot notices within seconds that its data directory is gone", async () => {
  const { bot, directory } = await setupLiveBot();
  bot.start();
  await bot.monitoringUrl();
  const goneAtMs = performance.now();
  rmSync(join(directory, "data"), { recursive: true, force: true });
  expect(await bot.ended()).toBe(74);
  expect(performance.now() - goneAtMs).toBeLessThan(8_000);
});
