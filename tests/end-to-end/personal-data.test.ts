/** Personal data at rest, in the real process: what stands on disk, keys lost, changed and rotated. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import { freePort } from "../../sandbox/ensure.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { setupLiveBot } from "../support/live-bot.ts";
import { runOperatorProgram } from "../support/operator-program.ts";

const botId = sandboxToken.split(":")[0] ?? "";
const userId = 4_711;
const names = ["Quokkaname", "quokka_user"];
const words = [...names, "Axolotlnote", "Zebrafinch", "Narwhal"];

/** Files under a directory that hold one of the words, in whatever case, or as base64. */
function filesWith(directory: string): string[] {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return files.flatMap((name) => {
    const path = join(directory, name);
    if (!statSync(path).isFile()) return [];
    const contents = readFileSync(path).toString("latin1").toLowerCase();
    const found = words.filter((word) => contents.includes(word.toLowerCase()));
    return found.map((word) => `${name}: ${word}`);
  });
}

async function say(sandbox: SandboxClient, text: string, answer: RegExp): Promise<string> {
  const after = (await sandbox.messages({ chatId: userId })).at(-1)?.message_id ?? 0;
  await sandbox.write({ userId, text });
  const accept = (message: { text?: string; caption?: string }) =>
    answer.test(message.text ?? message.caption ?? "");
  const message = await sandbox.waitForMessage(userId, accept, { after, timeoutMs: 15_000 });
  return message.text ?? "";
}

test("after real use no words and no name of a person are on disk", {
  timeout: 90_000,
}, async () => {
  const port = String(await freePort("127.0.0.1"));
  const { bot, directory, sandbox } = await setupLiveBot(
    {
      MONITORING_PORT: port,
      LOG_LEVEL: "debug",
      FLOOD_LIMITS_ENABLED: "false",
    },
    ["--flood", "off"],
  );
  const person = { firstName: "Quokkaname", username: "quokka_user", languageCode: "en" };
  await sandbox.createUser({ id: userId, ...person });
  bot.start();
  await bot.monitoringUrl();
  const keyFile = join(directory, "data", "encryption.key");
  expect(bot.output).toContain("encryption.key");
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);

  expect(await say(sandbox, "/start", /account is open/)).toContain("Quokkaname");
  await sandbox.write({ userId, text: "/shop" });
  const list = await sandbox.waitForMessage(
    userId,
    (m) => m.reply_markup !== undefined && /choose/i.test(m.text ?? ""),
  );
  const chat = { userId, chatId: userId };
  await sandbox.press({ ...chat, messageId: list.message_id, row: 0, column: 0 });
  const confirm = await sandbox.waitForMessage(userId, (m) => /Buy it/.test(m.text ?? ""));
  await sandbox.press({ ...chat, messageId: confirm.message_id, row: 0, column: 0 });
  await eventually("the order", async () => {
    return /is now/.test((await sandbox.messages({ chatId: userId })).map((m) => m.text).join());
  });
  expect(await say(sandbox, "/note 1 Axolotlnote", /note is kept/)).toContain("Axolotlnote");
  await say(sandbox, "Zebrafinch", /commands only/);
  await say(sandbox, "/export", /everything stored/);

  // A refusal that quotes the text, and a reply that becomes a dead letter.
  const description =
    'Bad Request: can\'t parse entities: unsupported start tag "Narwhal" at byte offset 4';
  const fault = { kind: "error", status: 400, description } as const;
  await sandbox.addFault({ match: "sendMessage", chatId: userId, count: 1, fault });
  await sandbox.write({ userId, text: "/note 1 Zebrafinch Narwhal" });
  const log = () =>
    readdirSync(join(directory, "logs"))
      .filter((name) => name.endsWith(".log"))
      .map((name) => readFileSync(join(directory, "logs", name), "utf8"))
      .join("");
  await eventually("the dead letter", async () => log().includes("message.dead-lettered"));

  const rotated = await runOperatorProgram("rotate-key", directory, [], {
    MONITORING_PORT: port,
    TELEGRAM_BOT_TOKEN: sandboxToken,
  });
  expect(rotated).toMatchObject({ exitCode: 0, output: expect.stringContaining("data key 2") });
  await eventually("the old key is gone", async () => log().includes("keys.swept"));
  const found = await runOperatorProgram("find-user", directory, ["@Quokka_User"]);
  expect(found).toMatchObject({ exitCode: 0, output: `${userId}\n` });
  expect((await runOperatorProgram("backup", directory)).exitCode).toBe(0);

  // Taken in, not answered yet, and killed.
  const hang = { kind: "hang" } as const;
  await sandbox.addFault({ match: "sendMessage", chatId: userId, fault: hang });
  await sandbox.write({ userId, text: "/note 1 Zebrafinch again" });
  await sandbox.write({ userId, text: "Narwhal" });
  await eventually("both are taken in", async () => (await sandbox.queue()).pending === 0);
  await bot.kill();
  expect(readdirSync(join(directory, "data", botId))).toEqual(
    expect.arrayContaining(["bot.db", "bot.db-wal", "restarts.jsonl", "backups"]),
  );
  expect(filesWith(directory)).toEqual([]);
  expect(bot.output).not.toMatch(new RegExp(words.join("|"), "i"));

  await sandbox.clearFaults();
  bot.start();
  expect(await say(sandbox, "/start", /Welcome back, Quokkaname/)).toContain("Balance");
  expect(await say(sandbox, "/note 1", /note is removed/)).not.toContain("Zebrafinch");
});

test("a lost or wrong key ends with exit code 78, and the old one opens everything again", async () => {
  const { bot, directory, sandbox } = await setupLiveBot();
  await sandbox.createUser({ id: userId, firstName: "Quokkaname" });
  bot.start();
  await say(sandbox, "/start", /account is open/);
  expect(await bot.stop()).toBe(0);
  const keyFile = join(directory, "data", "encryption.key");
  const database = readFileSync(join(directory, "data", botId, "bot.db"));
  renameSync(keyFile, `${keyFile}.away`);

  bot.start();
  expect(await bot.ended()).toBe(78);
  expect(bot.output).toContain("encryption key of this database is missing");
  expect(existsSync(keyFile)).toBe(false);

  const wrong = createHash("sha256").update("wrong").digest("base64");
  const program = await runOperatorProgram("find-user", directory, ["ann"], {
    ENCRYPTION_KEY: wrong,
  });
  expect(program).toMatchObject({ exitCode: 78, output: expect.stringContaining("does not open") });
  expect(readFileSync(join(directory, "data", botId, "bot.db")).equals(database)).toBe(true);

  renameSync(`${keyFile}.away`, keyFile);
  bot.start();
  await say(sandbox, "/start", /Welcome back, Quokkaname/);
});

test("rotating without a bot, a port or a token says what is missing", async () => {
  const { directory } = await setupLiveBot();
  const port = String(await freePort("127.0.0.1"));
  const run = (env: Record<string, string>) =>
    runOperatorProgram("rotate-key", directory, [], { TELEGRAM_BOT_TOKEN: sandboxToken, ...env });
  expect(await run({})).toMatchObject({
    exitCode: 78,
    output: expect.stringContaining("MONITORING_PORT"),
  });
  expect(await run({ MONITORING_PORT: port })).toMatchObject({
    exitCode: 78,
    output: expect.stringContaining("RESTART_TOKEN"),
  });
  const token = `${"t".repeat(10)}0123456789abcdefghijklmnop`;
  expect(await run({ MONITORING_PORT: port, RESTART_TOKEN: token })).toMatchObject({
    exitCode: 75,
    output: expect.stringContaining("Start the bot first"),
  });
});
