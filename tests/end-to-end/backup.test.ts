/** Backup and restore: the real commands, beside the real bot. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { setupLiveBot } from "../support/live-bot.ts";
import { runOperatorProgram } from "../support/operator-program.ts";

/** A bot that has just been started on a busy machine takes its time. */
const patience = { timeoutMs: 20_000 };
const botId = sandboxToken.split(":")[0] ?? "";

test("a backup beside the running bot brings back what the bot knew, after a kill too", {
  timeout: 120_000,
}, async () => {
  const { bot, directory, sandbox } = await setupLiveBot();
  bot.start();
  await sandbox.write({ userId: 1, text: "/start" });
  await sandbox.waitForMessage(1, ({ text }) => /account is open/.test(text ?? ""), patience);

  const made = await runOperatorProgram("backup", directory);
  expect(made).toMatchObject({ exitCode: 0, output: expect.stringContaining("Backup written") });
  const file = /written and checked: (\S+)/.exec(made.output)?.[1] ?? "";

  await sandbox.write({ userId: 2, text: "/start" });
  await sandbox.waitForMessage(2, ({ text }) => /account is open/.test(text ?? ""), patience);
  const refused = await runOperatorProgram("restore", directory, [file]);
  expect(refused).toMatchObject({
    exitCode: 75,
    output: expect.stringContaining("Stop the other"),
  });

  await bot.kill();
  const restored = await runOperatorProgram("restore", directory, [file]);
  expect(restored).toMatchObject({ exitCode: 0, output: expect.stringContaining("24 hours") });
  const kept = /replaced database is kept as (\S+)/.exec(restored.output)?.[1] ?? "";

  bot.start();
  await sandbox.write({ userId: 1, text: "/start" });
  await sandbox.waitForMessage(1, ({ text }) => /Welcome back/.test(text ?? ""), patience);
  const before = (await sandbox.messages({ chatId: 2 })).at(-1)?.message_id ?? 0;
  await sandbox.write({ userId: 2, text: "/start" });
  const isNew = /account is open/;
  await sandbox.waitForMessage(2, ({ text }) => isNew.test(text ?? ""), {
    after: before,
    ...patience,
  });
  expect(await bot.stop()).toBe(0);

  expect((await runOperatorProgram("restore", directory, [kept])).exitCode).toBe(0);
  bot.start();
  const last = (await sandbox.messages({ chatId: 2 })).at(-1)?.message_id ?? 0;
  await sandbox.write({ userId: 2, text: "/start" });
  const known = /Welcome back/;
  await sandbox.waitForMessage(2, ({ text }) => known.test(text ?? ""), {
    after: last,
    ...patience,
  });
});

test("a running bot backs up by itself, has each backup carried away, and knows its age", {
  timeout: 60_000,
}, async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "carried-"));
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
  const carried = join(elsewhere, "carried.db");
  const { bot, directory } = await setupLiveBot({
    BACKUP_EVERY_HOURS: "0.001",
    BACKUP_COMMAND: `cp "$BACKUP_FILE" ${carried} && echo "carried, <$TELEGRAM_BOT_TOKEN$BOT_TOKEN>"`,
    LOG_LEVEL: "info",
  });
  bot.start();
  const carriedAway = () => bot.lines.find(({ text }) => text.includes("backup.carried-away"));
  await expect.poll(carriedAway, { timeout: 40_000 }).toBeDefined();
  expect(carriedAway()?.text).toContain("carried, <>");
  const url = await bot.monitoringUrl();
  const health = await (await fetch(`${url}/api/health`)).json();
  expect(health).toMatchObject({
    data: { checks: { backup: { status: "healthy", ageMs: expect.any(Number) } } },
  });
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^bot_backup_age_seconds \d/m);
  expect(await bot.stop()).toBe(0);
  const restored = await runOperatorProgram("restore", directory, [carried]);
  expect(restored).toMatchObject({ exitCode: 0 });
});

test("wrong calls say what is expected, and change nothing", async () => {
  const { directory } = await setupLiveBot();
  const data = join(directory, "data", botId);
  const run = (...call: [string, string[]?]) =>
    runOperatorProgram(call[0], directory, call[1] ?? []);
  expect(await run("backup")).toMatchObject({
    exitCode: 78,
    output: expect.stringContaining("DATA_DIR"),
  });
  expect(await run("restore")).toMatchObject({
    exitCode: 78,
    output: expect.stringContaining("npm run restore -- FILE"),
  });
  expect(await run("backup", ["--colour", "red"])).toMatchObject({ exitCode: 78 });
  expect(await run("backup", ["--bot", "../.."])).toMatchObject({ exitCode: 78 });
  expect(existsSync(data)).toBe(false);
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "bot.db"), "no database at all".repeat(100));
  expect(await run("backup")).toMatchObject({
    exitCode: 74,
    output: expect.stringContaining("Nothing was overwritten"),
  });
  expect(await run("restore", ["missing.db"])).toMatchObject({ exitCode: 74 });
});
