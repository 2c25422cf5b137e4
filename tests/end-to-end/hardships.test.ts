/**
 * Hardships that a machine or its operator causes without meaning harm: each slows the bot down at most,
 * and afterwards everybody has the answer, once. With the production profile.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { type LiveBot, setupLiveBot } from "../support/live-bot.ts";

const botId = sandboxToken.split(":")[0] ?? "";
const patience = { timeoutMs: 30_000 };

function setup(): Promise<LiveBot> {
  return setupLiveBot({ NODE_ENV: "production", MONITORING_PORT: "0" });
}

const isHelp = ({ text }: { readonly text?: string }) =>
  text?.startsWith("This is what I can do") ?? false;

async function answerTo(sandbox: SandboxClient, userId: number): Promise<void> {
  await sandbox.waitForMessage(userId, isHelp, patience);
}

async function ask(sandbox: SandboxClient, users: readonly number[]): Promise<void> {
  await Promise.all(users.map((userId) => sandbox.write({ userId, text: "/help" })));
}

async function expectOneAnswerEach(sandbox: SandboxClient, users: readonly number[]) {
  await Promise.all(users.map((userId) => answerTo(sandbox, userId)));
  await eventually("all is confirmed", async () => (await sandbox.queue()).pending === 0);
  for (const chatId of users) {
    const answers = (await sandbox.messages({ chatId })).filter(isHelp);
    expect(answers, `chat ${chatId}`).toHaveLength(1);
  }
}

/** The operator's own connection, which waits for the bot's commits to end. */
function openByHand(directory: string): DatabaseSync {
  const database = new DatabaseSync(join(directory, "data", botId, "bot.db"), { timeout: 5_000 });
  onTestFinished(() => {
    if (database.isOpen) database.close();
  });
  return database;
}

test("an operator who holds the database's write lock for seconds ends nothing", {
  timeout: 90_000,
}, async () => {
  const { bot, directory, sandbox } = await setup();
  bot.start();
  await ask(sandbox, [1]);
  await answerTo(sandbox, 1);
  const byHand = openByHand(directory);
  byHand.exec("BEGIN IMMEDIATE");
  await ask(sandbox, [2, 3]);
  await pause(5_000);
  expect(bot.running).toBe(true);
  byHand.exec("ROLLBACK");
  await expectOneAnswerEach(sandbox, [1, 2, 3]);
  expect(await bot.stop()).toBe(0);
});

test("an operator who reads the database for long holds nobody up", {
  timeout: 90_000,
}, async () => {
  const { bot, directory, sandbox } = await setup();
  bot.start();
  await ask(sandbox, [1]);
  await answerTo(sandbox, 1);
  const byHand = openByHand(directory);
  byHand.exec("BEGIN");
  const count = () => byHand.prepare("SELECT count(*) AS n FROM boots").get();
  count();
  await ask(sandbox, [2, 3, 4]);
  await expectOneAnswerEach(sandbox, [1, 2, 3, 4]);
  count();
  byHand.exec("COMMIT");
  expect(await bot.stop()).toBe(0);
});

test("with sixty open files allowed, everybody is answered", { timeout: 90_000 }, async () => {
  const { bot, sandbox } = await setup();
  const [program = "", ...words] = bot.command;
  const limited = ["-c", 'ulimit -n 60; exec "$@"', "sh", program, ...words];
  const child = spawn("sh", limited, { env: bot.environment, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const users = Array.from({ length: 40 }, (_, index) => index + 1);
  await ask(sandbox, users);
  await expectOneAnswerEach(sandbox, users);
  expect(child.exitCode).toBeNull();
});

test("when the reader of its output is gone, the bot goes on", { timeout: 90_000 }, async () => {
  const { bot, sandbox } = await setup();
  const [program = "", ...words] = bot.command;
  const child = spawn(program, words, {
    env: { ...bot.environment, LOG_LEVEL: "debug" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdout.destroy();
  child.stderr.destroy();
  await ask(sandbox, [1, 2, 3]);
  await expectOneAnswerEach(sandbox, [1, 2, 3]);
  expect(child.exitCode).toBeNull();
});

test("a send that hangs delays no other chat", { timeout: 90_000 }, async () => {
  const { bot, sandbox } = await setup();
  await sandbox.addFault({ match: "sendMessage", chatId: 1, count: 1, fault: { kind: "hang" } });
  bot.start();
  await bot.monitoringUrl();
  await ask(sandbox, [1]);
  await eventually("it hangs", async () => (await sandbox.queue()).pending === 0);
  await ask(sandbox, [2, 3, 4]);
  await Promise.all([2, 3, 4].map((userId) => answerTo(sandbox, userId)));
  // The hanging one is given up at its deadline and made again.
  expect((await sandbox.messages({ chatId: 1 })).filter(isHelp)).toEqual([]);
  await expectOneAnswerEach(sandbox, [1, 2, 3, 4]);
});
