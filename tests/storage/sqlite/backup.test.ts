/** Backup and restore: files, permissions, limits, and the files a crash leaves behind. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { findBackups, writeBackup } from "../../../bot/storage/sqlite/backup.ts";
import { restoreBackup } from "../../../bot/storage/sqlite/restore.ts";
import { type OpenDatabase, openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { SqliteStore } from "../../../bot/storage/sqlite/sqlite-store.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { claim, update } from "../store-conformance.ts";

async function setup() {
  const directory = mkdtempSync(join(tmpdir(), "backup-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const openStore = async () => {
    const store = new SqliteStore({
      directory,
      clock,
      publish: () => {},
      onFatal: () => {},
      keys: keysOf("the key"),
      tableSets: [shopTables],
      backupsKept: 3,
      dedupeKeepMs: 60_000,
      laneLengthMax: 100,
    });
    await store.open();
    onTestFinished(() => store.close());
    return store;
  };
  const request = () => ({ directory, kept: 3, nowEpochMs: clock.epochMs() });
  const restore = (file: string, open?: OpenDatabase) =>
    restoreBackup({ directory, file, nowEpochMs: clock.epochMs() }, open);
  const lanes = async () => {
    const store = await openStore();
    const found = (await claim(store)).map(({ lane }) => lane);
    await store.close();
    return found;
  };
  return { clock, directory, lanes, openStore, request, restore, store: await openStore() };
}

test("a backup is one file that only its owner can read, and the oldest backups are removed", async () => {
  const { clock, directory, store } = await setup();
  const files: string[] = [];
  for (let round = 0; round < 5; round++) {
    files.push((await store.backup()).file);
    await clock.advance(1_000);
  }
  const names = readdirSync(join(directory, "backups")).sort();
  expect(names.map((name) => join(directory, "backups", name))).toEqual(files.slice(-3));
  expect(statSync(files.at(-1) ?? "").mode & 0o777).toBe(0o600);
});

test("an operator's backup works while the bot writes, and after it was killed", async () => {
  const { clock, lanes, request, restore, store } = await setup();
  await store.enqueue([update("a", 1)]);
  const { file } = await writeBackup(request());
  await store.enqueue([update("b", 2)]);
  await clock.advance(1_000);
  await store.close();
  expect(restore(file)).toMatch(/bot-replaced-.*\.db$/);
  expect(await lanes()).toEqual(["a"]);
});

test("a backup is of one instant, although the bot writes while it is made", async () => {
  const { lanes, request, restore, store } = await setup();
  await store.enqueue([update("a", 1)]);
  const { file } = await writeBackup(request(), (path, options) => {
    const database = openNodeSqlite(path, options);
    const copyPages = async (to: string) => {
      await store.enqueue([update("b", 2)]);
      await database.copyPages(to);
      await store.enqueue([update("c", 3)]);
    };
    return { ...database, inTransaction: false, copyPages };
  });
  await store.close();
  restore(file);
  expect(await lanes()).toEqual(["a"]);
});

test("a copy that lacks a row is no backup: it is removed, and the table is named", async () => {
  const { clock, directory, request, store } = await setup();
  await store.enqueue([update("a", 1), update("b", 2)]);
  const { file } = await writeBackup(request());
  await clock.advance(1_000);
  const lossy = writeBackup({ ...request(), kept: 1 }, (path, options) => {
    const database = openNodeSqlite(path, options);
    if (path.endsWith(".pages.part") && options?.readOnly) {
      const other = openNodeSqlite(path);
      other.exec("DELETE FROM messages WHERE lane = 'b'");
      other.close();
    }
    return database;
  });
  await expect(lossy).rejects.toMatchObject({
    code: "BACKUP_FAILED",
    message: expect.stringContaining("messages has 2 rows, and 1 in the copy"),
  });
  expect(readdirSync(join(directory, "backups"))).toEqual([basename(file)]);
});

test("the backups that are there are found with their instants, whoever made them", async () => {
  const { clock, directory, request, store } = await setup();
  expect(await findBackups(directory)).toEqual([]);
  const atEpochMs = clock.epochMs();
  const { file } = await store.backup();
  await clock.advance(1_000);
  await writeBackup(request());
  for (const name of ["bot-x.db", "bot-2026-99-99T00-00-00-000Z.db", `${basename(file)}.part`]) {
    writeFileSync(join(directory, "backups", name), "");
  }
  expect(await findBackups(directory)).toEqual([
    { file, atEpochMs },
    { file: expect.stringMatching(/\.db$/), atEpochMs: atEpochMs + 1_000 },
  ]);
});

test("a new backup stays, although a wrong clock has left names of the future", async () => {
  const { directory, request } = await setup();
  mkdirSync(join(directory, "backups"));
  for (const year of [2997, 2998, 2999]) {
    writeFileSync(join(directory, "backups", `bot-${year}-01-01T00-00-00-000Z.db`), "");
  }
  const { file } = await writeBackup(request());
  expect(existsSync(file)).toBe(true);
  expect(readdirSync(join(directory, "backups"))).toHaveLength(3);
});

test("a backup that fails leaves no file, says why, and disturbs no other work", async () => {
  const { clock, directory, store } = await setup();
  const { file } = await store.backup();
  await clock.advance(1_000);
  rmSync(join(directory, "backups"), { recursive: true });
  writeFileSync(join(directory, "backups"), "in the way");
  await expect(store.backup()).rejects.toMatchObject({
    code: "BACKUP_FAILED",
    message: expect.stringContaining("backups"),
    hint: expect.stringMatching(/\w/),
  });
  expect(existsSync(file)).toBe(false);
  await store.enqueue([update("a", 1)]);
  expect(await store.depth("handling")).toBe(1);
});

test("a backup left half written by a death is removed when it is old and never counts", async () => {
  const { clock, directory, request, store } = await setup();
  await store.backup();
  const old = join(directory, "backups", "bot-0.db.part");
  const fresh = join(directory, "backups", "bot-3.db.part");
  for (const path of [old, fresh]) writeFileSync(path, "half");
  const seconds = clock.epochMs() / 1_000;
  utimesSync(old, seconds - 3_601, seconds - 3_601);
  utimesSync(fresh, seconds, seconds);
  await clock.advance(1_000);
  await writeBackup({ ...request(), kept: 1 });
  expect(readdirSync(join(directory, "backups")).sort()).toEqual([
    expect.stringMatching(/^bot-.*Z\.db$/),
    "bot-3.db.part",
  ]);
});

test("restoring keeps the replaced database, including its journal", async () => {
  const { clock, lanes, restore, store } = await setup();
  await store.enqueue([update("a", 1)]);
  const { file } = await store.backup();
  await clock.advance(1_000);
  await store.enqueue([update("b", 2)]);
  await store.close();
  const kept = restore(file) ?? "";
  expect(await lanes()).toEqual(["a"]);
  await clock.advance(1_000);
  restore(kept);
  expect(await lanes()).toEqual(["a", "b"]);
});

test("restoring is refused while a bot holds the data", async () => {
  const { restore, store } = await setup();
  const { file } = await store.backup();
  expect(() => restore(file)).toThrow(expect.objectContaining({ code: "STORAGE_IN_USE" }));
});

test.each<[string, (file: string) => void, string]>([
  ["a missing file", (file) => rmSync(file), "STORAGE_UNAVAILABLE"],
  [
    "a truncated file",
    (file) => truncateSync(file, statSync(file).size - 8_192),
    "STORAGE_CORRUPT",
  ],
  [
    "a file that is not a database",
    (file) => writeFileSync(file, "hello".repeat(1_000)),
    "STORAGE_CORRUPT",
  ],
  ["an empty file", (file) => truncateSync(file, 0), "STORAGE_CORRUPT"],
])("%s is not restored, and nothing is changed", async (_, spoil, code) => {
  const { directory, restore, store } = await setup();
  await store.enqueue([update("a", 1)]);
  const { file } = await store.backup();
  await store.close();
  const before = readFileSync(join(directory, "bot.db"));
  const names = readdirSync(directory).sort();
  spoil(file);
  expect(() => restore(file)).toThrow(expect.objectContaining({ code }));
  expect(readFileSync(join(directory, "bot.db")).equals(before)).toBe(true);
  expect(readdirSync(directory).sort()).toEqual(names);
});

test("a damaged database is replaced and kept as it was", async () => {
  const { directory, lanes, restore, store } = await setup();
  await store.enqueue([update("a", 1)]);
  const { file } = await store.backup();
  await store.close();
  const damaged = Buffer.alloc(20_000, "noise");
  writeFileSync(join(directory, "bot.db"), damaged);
  writeFileSync(join(directory, "bot.db-wal"), "a journal that belongs to it");
  const kept = restore(file) ?? "";
  expect(readFileSync(kept).equals(damaged)).toBe(true);
  expect(readFileSync(`${kept}-wal`, "utf8")).toBe("a journal that belongs to it");
  expect(await lanes()).toEqual(["a"]);
});

test("a restoration interrupted at any point leaves the old database or the restored one", {
  timeout: 120_000,
}, async () => {
  for (let calls = 1; ; calls++) {
    const { clock, lanes, restore, store } = await setup();
    await store.enqueue([update("a", 1)]);
    const { file } = await store.backup();
    await clock.advance(1_000);
    await store.enqueue([update("b", 2)]);
    await store.close();
    const interrupted = dyingAfter(calls);
    const outcome = attempt(() => restore(file, interrupted.open));
    expect([["a"], ["a", "b"]]).toContainEqual(await lanes());
    if (!interrupted.died) {
      expect(outcome).toBe("done");
      expect(calls).toBeGreaterThan(10);
      break;
    }
  }
});

function attempt(work: () => unknown): string {
  try {
    work();
    return "done";
  } catch {
    return "died";
  }
}

/** Opens databases as a process that dies at its n-th call to SQLite. */
function dyingAfter(calls: number) {
  let left = calls;
  const count = () => {
    left--;
    if (left <= 0) throw new Error("died");
  };
  const open: OpenDatabase = (path, options) => {
    count();
    const database = openNodeSqlite(path, options);
    return {
      prepare: (sql) => {
        count();
        return database.prepare(sql);
      },
      exec: (sql) => {
        count();
        database.exec(sql);
      },
      get inTransaction() {
        return database.inTransaction;
      },
      sync: () => database.sync(),
      close: () => database.close(),
    };
  };
  return {
    open,
    get died() {
      return left <= 0;
    },
  };
}
