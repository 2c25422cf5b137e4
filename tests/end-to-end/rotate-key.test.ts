/** `npm run rotate-key` on PostgreSQL: while processes run, while one of them sleeps, and while none runs. */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../bot/core/clock.ts";
import { Secret } from "../../bot/core/secret.ts";
import { Connection } from "../../bot/storage/postgres/connection.ts";
import { lockClass } from "../../bot/storage/postgres/session-locks.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { claim, update } from "../storage/store-conformance.ts";
import { keyOf } from "../support/encryption-keys.ts";
import { setupLiveBot } from "../support/live-bot.ts";
import { runOperatorProgram } from "../support/operator-program.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../support/postgres.ts";
import { createPostgresStore } from "../support/postgres-store.ts";

async function setup() {
  const bot = `${randomInt(1e9, 2e9)}`;
  const schema = `bot_${bot}`;
  const directory = mkdtempSync(join(tmpdir(), "rotate-key-"));
  onTestFinished(async () => {
    rmSync(directory, { recursive: true });
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });
  const env = { DATABASE_URL: await postgresUrl(), ENCRYPTION_KEY: keyOf("key").reveal() };
  return { schema, rotate: () => runOperatorProgram("rotate-key", directory, ["--bot", bot], env) };
}

test.skipIf(noPostgres)(
  `a key is rotated whether processes run, sleep or are away${orSkipped}`,
  { timeout: 120_000 },
  async () => {
    const { rotate, schema } = await setup();
    const keys = () => byHand(`SELECT id FROM ${schema}.data_keys ORDER BY id`);
    expect(await rotate()).toMatchObject({
      exitCode: 74,
      output: expect.stringContaining("no data in the schema"),
    });
    const store = await createPostgresStore({ schema, clock: systemClock });
    await store.open();
    store.roles.start({ gaining: async () => {}, changed: () => {} });
    await store.enqueue([update("a", 1)]);

    const sleeper = await Connection.open({
      ...{ url: new Secret(await postgresUrl()), schema, settings: {} },
    });
    await sleeper.all(`SELECT enter_2(${lockClass}, 'sleeper', 'far', 7, '0.1', 0, 1)`);
    const rotated = rotate();
    const waiting = [{ id: 1 }, { id: 2 }];
    await expect.poll(keys, { timeout: 30_000, interval: 100 }).toEqual(waiting);
    await store.enqueue([update("b", 2)]);
    await expect.poll(keys, { timeout: 1_000 }).toEqual(waiting);
    setTimeout(() => void sleeper.end(), 2_000);
    const { exitCode, output } = await rotated;
    expect(output).toContain("Data key 2 is made.");
    expect(output).toContain("Waits for process 2 (far, pid 7, version 0.1), which does not know");
    expect(output).toContain("All data are encrypted with data key 2");
    expect(exitCode).toBe(0);
    expect(await keys()).toEqual([{ id: 2 }]);
    expect(await claim(store, { limit: 9 })).toHaveLength(2);

    await store.close();
    const alone = await rotate();
    expect(alone.output).toContain("All data are encrypted with data key 3");
    expect(alone.exitCode).toBe(0);
    expect(await keys()).toEqual([{ id: 3 }]);
  },
);

test.skipIf(noPostgres)(
  `a bot that stood still while the key was rotated goes on with the new one${orSkipped}`,
  { timeout: 120_000 },
  async () => {
    const schema = `bot_${sandboxToken.split(":")[0]}`;
    const drop = () => byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await drop();
    const env = { DATABASE_URL: await postgresUrl(), ENCRYPTION_KEY: keyOf("key").reveal() };
    const { bot, directory, sandbox } = await setupLiveBot(env);
    onTestFinished(async () => {
      await bot.kill();
      await drop();
    });
    const ask = async (text: string, answer: RegExp) => {
      await sandbox.write({ userId: 7, text });
      const accept = (message: { text?: string }) => answer.test(message.text ?? "");
      await sandbox.waitForMessage(7, accept, { timeoutMs: 30_000 });
    };
    bot.start();
    await sandbox.createUser({ id: 7, firstName: "Ann", languageCode: "en" });
    await ask("/start", /^Hello|^Welcome/);
    const { pid = 0 } = bot;
    process.kill(pid, "SIGSTOP");
    const rotated = await runOperatorProgram("rotate-key", directory, [], {
      ...{ ...env, TELEGRAM_BOT_TOKEN: sandboxToken },
    });
    process.kill(pid, "SIGCONT");
    expect(rotated.output).toContain("All data are encrypted with data key 2");
    await ask("/start", /Welcome back, Ann/);
    expect(bot.pid).toBe(pid);
    expect(bot.output).not.toMatch(/STORAGE_CORRUPT|storage\.failed/);
    expect(await byHand(`SELECT id FROM ${schema}.data_keys`)).toEqual([{ id: 2 }]);
    expect(await bot.stop()).toBe(0);
  },
);
