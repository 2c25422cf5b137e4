/** Moving a real bot with a shop to PostgreSQL and back: the operator's program, beside the real bot. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFailed, onTestFinished, test } from "vitest";
import { node, pause } from "../../lab/drill/bot-process.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { setupLiveBot } from "../support/live-bot.ts";
import { runOperatorProgram } from "../support/operator-program.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../support/postgres.ts";

const botId = sandboxToken.split(":")[0] ?? "";
const schema = `bot_${botId}`;
const password = "unlikely-password";
const patience = { timeoutMs: 30_000 };

async function lastId(sandbox: SandboxClient, chatId: number): Promise<number> {
  // A chat begins with its first message.
  const messages = await sandbox.messages({ chatId }).catch(() => []);
  return messages.at(-1)?.message_id ?? 0;
}

/** Writes, and gives the text of the answer. */
async function ask(sandbox: SandboxClient, userId: number, text: string): Promise<string> {
  const after = await lastId(sandbox, userId);
  await sandbox.write({ userId, text });
  const isAnswer = (message: { readonly from?: { readonly id: number } }) =>
    message.from?.id !== userId;
  return (await sandbox.waitForMessage(userId, isAnswer, { after, ...patience })).text ?? "no text";
}

async function buy(sandbox: SandboxClient, userId: number): Promise<void> {
  const after = await lastId(sandbox, userId);
  await sandbox.write({ userId, text: "/shop" });
  const list = await sandbox.waitForMessage(
    userId,
    ({ reply_markup }) => reply_markup !== undefined,
    { after, ...patience },
  );
  const { message_id: messageId } = list;
  await sandbox.press({ userId, chatId: userId, messageId, row: 0, column: 0 });
  const dataOf = (markup: unknown) => /buy:[^:]*:[^:]*:[^"]*/.exec(JSON.stringify(markup))?.[0];
  const question = await sandbox.waitForMessage(
    userId,
    ({ reply_markup }) => dataOf(reply_markup ?? "") !== undefined,
    { after: messageId, ...patience },
  );
  const data = dataOf(question.reply_markup) ?? "";
  const { message_id: asked } = question;
  await sandbox.press({ userId, chatId: userId, messageId: asked, data });
  // The question becomes the receipt.
  await sandbox.waitForMessage(
    userId,
    (message) => message.message_id === asked && message.edit_date !== undefined,
    { after: asked - 1, ...patience },
  );
}

test.skipIf(noPostgres)(
  `a bot with a shop moves to PostgreSQL and back, and nobody notices${orSkipped}`,
  { timeout: 300_000 },
  async () => {
    const plain = await postgresUrl();
    const url = plain.replace(/:\/\/([^:@]+)@/, `://$1:${password}@`);
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    const { bot, directory, sandbox } = await setupLiveBot();
    onTestFinished(async () => {
      await bot.kill();
      await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    });
    onTestFailed(() => console.log(bot.output.slice(-6_000)));
    const env = { TELEGRAM_BOT_TOKEN: sandboxToken, LOG_DIR: join(directory, "logs") };
    const move = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
      runOperatorProgram("move", directory, words, { ...env, ...more });

    bot.start();
    for (const userId of [7_001, 7_002]) await ask(sandbox, userId, "/start");
    await buy(sandbox, 7_001);
    const [balance, orders] = [
      await ask(sandbox, 7_001, "/balance"),
      await ask(sandbox, 7_001, "/orders"),
    ];
    const sameAnswers = async () => {
      expect(await ask(sandbox, 7_001, "/balance")).toBe(balance);
      expect(await ask(sandbox, 7_001, "/orders")).toBe(orders);
    };

    expect(await move(["--to", url])).toMatchObject({
      exitCode: 75,
      output: expect.stringContaining("Stop the other bot"),
    });
    await bot.kill();
    bot.setEnv({ DATABASE_URL: plain });
    bot.start();
    expect(await bot.ended()).toBe(78);
    expect(bot.output).toContain("npm run move -- --to postgres");
    bot.setEnv({ DATABASE_URL: "" });
    const beganMs = performance.now();
    const there = await move(["--to", url]);
    const tookMs = performance.now() - beganMs;
    expect(there).toMatchObject({ exitCode: 0, output: expect.stringMatching(/accounts +2 +2\n/) });
    expect(there.output).toMatch(/ledger\.amount_minor +\d+ +\d+\n/);
    expect(there.output).not.toContain(password);
    const waiting = "SELECT pos, enters_at > created_at AS later FROM #.messages WHERE key = $1";
    expect(await byHand(waiting.replace("#", schema), ["schedule:reconcile"])).toEqual([
      { pos: null, later: true },
    ]);

    bot.start();
    expect(await bot.ended()).toBe(78);
    expect(bot.output).toContain(`were moved to postgres://postgres@`);
    expect(bot.output).toContain(`schema ${schema}`);
    expect(bot.output).not.toContain(password);

    bot.setEnv({ DATABASE_URL: plain });
    bot.start();
    await sameAnswers();
    expect(await bot.stop()).toBe(0);

    // Killed at any instant, the move is made whole by making it again.
    for (const part of [0.6, 0.8, 0.95]) await killedMove(directory, env, url, tookMs * part);
    const back = await move(["--to", "sqlite"], { DATABASE_URL: url });
    const whole = /same on both sides|all was there|were moved to/;
    expect(back.output).toMatch(whole);
    bot.start();
    expect(await bot.ended()).toBe(78);
    bot.setEnv({ DATABASE_URL: "" });
    bot.start();
    await sameAnswers();
    expect(await ask(sandbox, 7_002, "hello")).toMatch(/^I understand/);
    expect(await bot.stop()).toBe(0);
  },
);

async function killedMove(
  directory: string,
  env: Readonly<Record<string, string>>,
  url: string,
  ms: number,
): Promise<void> {
  const file = fileURLToPath(new URL("../../bot/operator/move.ts", import.meta.url));
  const child = spawn(node, [file, "--to", "sqlite", "--from", url], {
    stdio: "ignore",
    env: {
      ...{ PATH: process.env["PATH"], NODE_ENV: "test", DATA_DIR: join(directory, "data") },
      ...env,
    },
  });
  const ended = once(child, "exit");
  await pause(ms);
  child.kill("SIGKILL");
  await ended;
}

test("a move that is not understood says how it is written", { timeout: 90_000 }, async () => {
  const { directory } = await setupLiveBot();
  const run = (...words: string[]) =>
    runOperatorProgram("move", directory, words, { TELEGRAM_BOT_TOKEN: sandboxToken });
  const refused = (text: string) => ({ exitCode: 78, output: expect.stringContaining(text) });
  expect(await run()).toMatchObject(refused("--to is missing"));
  expect(await run("--to", "postgres")).toMatchObject(refused("DATABASE_URL is not set"));
  expect(await run("--to", "mysql://x")).toMatchObject(refused('expected "sqlite", "postgres"'));
  expect(await run("--to", "postgres://x/y", "--from", "postgres://x/y")).toMatchObject(
    refused("--from goes with --to sqlite only"),
  );
  expect(await run("--to", "postgres://127.0.0.1:9/y")).toMatchObject({
    exitCode: 75,
    output: expect.stringContaining("no connection"),
  });
});
