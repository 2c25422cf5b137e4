/**
 * Updates of an installation under real PM2 while people write: versions that cannot be built, cannot
 * start, or never become ready leave the old one running; a good one takes over. Nothing is lost.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { eventually, pause } from "../support/bot-process.ts";
import { checkReplies } from "../support/reply-history.ts";
import { setupInstallation } from "./installation.ts";

const userId = 5_000;
/** Neighbours differ, so that a repeated reply can be told from the next one. */
const commands = ["/help", "hello"];
const labelOf = (text: string) => (text.startsWith("This is what I can do") ? "/help" : "hello");

/** How often somebody writes, so that every stage of an update meets updates. */
const writeEveryMs = 400;

async function setup() {
  const bot = await setupInstallation({ FLOOD_LIMITS_ENABLED: "false" });
  const installed = await bot.deploy("--env", "test", "--token-file", bot.tokenFile);
  expect(installed, installed.output).toMatchObject({ code: 0 });
  return { ...bot, ...startWriting(bot) };
}

type Bot = Awaited<ReturnType<typeof setupInstallation>>;

/** Somebody who writes all the time, and what became of it. */
function startWriting({ sandbox }: Bot) {
  const written: string[] = [];
  let writing = true;
  const done = (async () => {
    while (writing) {
      const text = commands[written.length % commands.length] as string;
      await sandbox.write({ userId, text });
      written.push(text);
      await pause(writeEveryMs);
    }
  })();
  const everythingAnswered = async () => {
    writing = false;
    await done;
    await eventually("all is confirmed", async () => (await sandbox.queue()).pending === 0);
    const seen = () => sandbox.messages({ chatId: userId });
    await eventually("the last reply", async () => {
      const replies = (await seen()).filter(({ from }) => from?.is_bot);
      return replies.length >= written.length;
    });
    const journal = await sandbox.journalAll();
    const replies = journal
      .filter((entry) => entry.chatId === userId && entry.executed)
      .filter(({ method }) => method === "sendMessage")
      .map((entry) => ({
        label: labelOf(entry.parameters["text"] ?? ""),
        ambiguous: entry.answeredAtMs === null,
      }));
    return { ...checkReplies(written, replies), written: written.length };
  };
  return { everythingAnswered };
}

test("an update that fails goes back to the version before, and no update is lost", {
  timeout: 240_000,
}, async () => {
  const bot = await setup();
  const good = bot.version();

  bot.commit("bot/start.ts", (text) => `throw new Error("a version that cannot start");\n${text}`);
  const broken = await bot.deploy("--update");
  expect(broken.output).toContain("a version that cannot start");
  expect(broken.output).toContain("runs again, nothing is lost");
  expect(broken.code).toBe(1);
  expect(bot.version()).toBe(good);

  bot.commit("bot/start.ts", (text) =>
    text.replace(/^throw.*\n/, 'if (!process.argv.includes("--check")) process.exit(70);\n'),
  );
  const neverReady = await bot.deploy("--update", "--ready-seconds", "5");
  expect(neverReady.output).toContain("not ready within 5 s");
  expect(neverReady.code).toBe(1);
  expect(bot.version()).toBe(good);

  bot.commit("bot/start.ts", (text) => text.replace(/^if.*\n/, "// A version that runs.\n"));
  const updated = await bot.deploy("--update");
  expect(updated, updated.output).toMatchObject({ code: 0 });
  expect(bot.version()).not.toBe(good);
  expect(existsSync(good)).toBe(true);
  expect(await bot.doctor()).toMatchObject({ healthy: true });

  const { written, ...verdict } = await bot.everythingAnswered();
  expect(written).toBeGreaterThan(10);
  expect(verdict).toMatchObject({ missing: [], violations: [] });
});

const hasBackup = "backup" in scriptsOf(new URL("../../../package.json", import.meta.url));

test.skipIf(!hasBackup)(
  `an update that changed the data before it failed gets them back from the backup${hasBackup ? "" : " (skipped: there is no backup program)"}`,
  { timeout: 240_000 },
  async () => {
    const bot = await setup();
    const good = bot.version();
    bot.commit("bot/storage/schema.ts", (text) =>
      text
        .replace("const migrations: readonly string[] = [", "$&\n")
        .replace(
          /\n\];\n/,
          '\n  "CREATE TABLE of_the_next_version (id INTEGER PRIMARY KEY)",\n];\n',
        ),
    );
    bot.commit("bot/start.ts", (text) =>
      text.replace('running.stop("check");', '$&\n  throw new Error("it fails late");'),
    );
    const failed = await bot.deploy("--update");
    expect(failed.output).toContain("the backup is restored");
    expect(failed.code).toBe(1);
    expect(bot.version()).toBe(good);
    expect(tablesOf(bot)).not.toContain("of_the_next_version");

    const { written, ...verdict } = await bot.everythingAnswered();
    expect(written).toBeGreaterThan(5);
    expect(verdict).toMatchObject({ missing: [], violations: [] });
  },
);

function scriptsOf(packageFile: URL): Record<string, string> {
  return (JSON.parse(readFileSync(packageFile, "utf8")) as { scripts: Record<string, string> })
    .scripts;
}

function tablesOf({ directory, token }: Bot): readonly string[] {
  const path = join(directory, "data", token.split(":")[0] ?? "", "bot.db");
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  database.close();
  return rows.map(({ name }) => String(name));
}
