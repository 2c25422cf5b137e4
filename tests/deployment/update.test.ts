/**
 * Updates of an installation under real PM2 while people write: versions that cannot be built, cannot
 * start, or never become ready leave the old one running; a good one takes over. Nothing is lost.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { startWriting } from "../support/steady-writer.ts";
import { type Installation, setupInstallation } from "./installation.ts";

const userId = 5_000;
/** Milliseconds between two messages, so that every stage of an update meets updates. */
const writeEveryMs = 400;

async function setup() {
  const bot = await setupInstallation({ FLOOD_LIMITS_ENABLED: "false" });
  const installed = await bot.deploy("--env", "test", "--token-file", bot.tokenFile);
  expect(installed, installed.output).toMatchObject({ code: 0 });
  return { ...bot, endWriting: startWriting(bot.sandbox, { everyMs: writeEveryMs, userId }) };
}

test("an update that fails goes back to the version before, and no update is lost", {
  timeout: 900_000,
}, async () => {
  const bot = await setup();
  const good = bot.version();
  const pid = await bot.pid();

  const envFile = join(bot.directory, ".env");
  const settings = readFileSync(envFile, "utf8");
  writeFileSync(envFile, `${settings}QUEUE_CONCURRENCY=many\n`);
  const misconfigured = await bot.deploy();
  expect(misconfigured.output).toContain("QUEUE_CONCURRENCY");
  expect(misconfigured.output).toContain("nothing was changed");
  expect(misconfigured.code).toBe(1);
  expect(await bot.pid()).toBe(pid);
  writeFileSync(envFile, settings);

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
  for (const moment of ["packages are taken from", "trying a start of", "waiting until it is"]) {
    const killed = await bot.deployUntil(moment, "--update");
    expect(killed.code, killed.output).toBeNull();
    expect(bot.version()).toBe(good);
  }
  // The next run finishes what the killed ones have begun.
  const updated = await bot.deploy("--update");
  expect(updated, updated.output).toMatchObject({ code: 0 });
  expect(existsSync(join(bot.directory, "releases/updating"))).toBe(false);
  expect(bot.version()).not.toBe(good);
  expect(existsSync(good)).toBe(true);
  expect(await bot.doctor()).toMatchObject({ healthy: true });

  const { counts, findings } = await bot.endWriting();
  expect(findings).toEqual([]);
  expect(counts.updates).toBeGreaterThan(10);
});

test("an update that changed the data before it failed gets them back from the backup", {
  timeout: 600_000,
}, async () => {
  const bot = await setup();
  const good = bot.version();
  bot.commit("bot/storage/sqlite/schema.ts", (text) =>
    text
      .replace("const migrations: readonly string[] = [", "$&\n")
      .replace(/\n\];\n/, '\n  "CREATE TABLE of_the_next_version (id INTEGER PRIMARY KEY)",\n];\n'),
  );
  bot.commit("bot/start.ts", (text) =>
    text.replace('running.stop("check");', '$&\n  throw new Error("it fails late");'),
  );
  // Killed after the new version has changed the data: the next run must not take them for the old ones.
  await bot.deployUntil("Going back to", "--update");
  expect(tablesOf(bot)).toContain("of_the_next_version");
  expect(existsSync(join(bot.directory, "releases/updating"))).toBe(true);
  const failed = await bot.deploy("--update");
  expect(failed.output).toContain("the backup is restored");
  expect(failed.code).toBe(1);
  expect(bot.version()).toBe(good);
  expect(tablesOf(bot)).not.toContain("of_the_next_version");

  const { counts, findings } = await bot.endWriting();
  expect(findings).toEqual([]);
  expect(counts.updates).toBeGreaterThan(5);
});

function tablesOf({ directory, token }: Installation): readonly string[] {
  const path = join(directory, "data", token.split(":")[0] ?? "", "bot.db");
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  database.close();
  return rows.map(({ name }) => String(name));
}
