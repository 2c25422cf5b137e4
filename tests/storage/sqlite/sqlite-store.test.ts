/** SQLite store: the conformance suite, and the failures that only a file can have. */

import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { StorageFailedError } from "../../../bot/core/errors.ts";
import type { Backup } from "../../../bot/core/store.ts";
import { shopOf, shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { restoreBackup } from "../../../bot/storage/sqlite/restore.ts";
import type { OpenDatabase } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { SqliteStore } from "../../../bot/storage/sqlite/sqlite-store.ts";
import { crashAsPlanned, SimulatedDisk } from "../../../lab/simulation/simulated-disk.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";
import { backToLaneTable } from "../../support/older-database.ts";
import { claim, describeStore, ref, update } from "../store-conformance.ts";

function createStore(
  directory: string,
  clock = new ManualClock(),
  openDatabase?: OpenDatabase,
  markDirectory?: string,
) {
  const fatal: string[] = [];
  const store = new SqliteStore({
    directory,
    clock,
    publish: () => {},
    onFatal: ({ code }) => fatal.push(code),
    keys: keysOf("the key"),
    tableSets: [shopTables],
    backupsKept: 3,
    dedupeKeepMs: 60_000,
    laneLengthMax: 5,
    markDirectory,
    ...(openDatabase && { openDatabase }),
  });
  onTestFinished(() => store.close());
  return { fatal, store };
}

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sqlite-store-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describeStore("SQLite", async () => {
  const directory = makeDirectory();
  const clock = new ManualClock();
  const first = new SimulatedDisk(() => undefined);
  const { store } = createStore(directory, clock, first.open);
  await store.open();
  const reopenAfterKill = async () => {
    first.kill();
    const next = createStore(directory, clock).store;
    expect(await next.open()).toBe("unclean");
    return next;
  };
  const openBackup = async ({ file }: Backup) => {
    const elsewhere = makeDirectory();
    restoreBackup({ directory: elsewhere, file, nowEpochMs: clock.epochMs() });
    const restored = createStore(elsewhere, clock).store;
    await restored.open();
    return restored;
  };
  return { store, clock, reopenAfterKill, openBackup };
});

test("only the owner can read its files", async () => {
  const directory = makeDirectory();
  const { store } = createStore(directory);
  await store.open();
  await store.enqueue([update("a", 1)]);
  expect(readdirSync(directory)).toContain("bot.db-wal");
  for (const name of readdirSync(directory)) {
    expect([name, statSync(join(directory, name)).mode & 0o077]).toEqual([name, 0]);
  }
});

test("it knows how the previous process ended", async () => {
  const directory = makeDirectory();
  const first = createStore(directory).store;
  expect(await first.open()).toBe("first");
  await first.close();
  expect(await createStore(directory).store.open()).toBe("clean");
});

test("a first start killed at any statement leaves a directory that the next one can use", async () => {
  for (let atStatement = 1; ; atStatement++) {
    const directory = makeDirectory();
    let statements = 0;
    const disk = new SimulatedDisk(() =>
      ++statements === atStatement ? { kind: "die", reachedDisk: false } : undefined,
    );
    const killed = createStore(directory, new ManualClock(), disk.open).store;
    const ended = await Promise.allSettled([killed.open()]);
    if (ended[0].status === "fulfilled") break;
    const { store } = createStore(directory);
    const next = await Promise.allSettled([store.open()]);
    expect(next, `killed at statement ${atStatement}`).toEqual([
      { status: "fulfilled", value: expect.any(String) },
    ]);
    await store.enqueue([update("a", 1)]);
    await store.close();
  }
});

test("no write succeeds before its commit, and a failed commit ends all writing", async () => {
  const disk = new SimulatedDisk(crashAsPlanned({ atCommit: 2, reachedDisk: false }));
  const { fatal, store } = createStore(makeDirectory(), new ManualClock(), disk.open);
  await store.open();
  await store.enqueue([update("a", 1)]);
  const both = await Promise.allSettled([
    store.enqueue([update("a", 2)]),
    store.enqueue([update("b", 3)]),
  ]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await expect(store.enqueue([update("c", 4)])).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  expect(fatal).toEqual(["STORAGE_FAILED"]);
});

/** A database whose syncs end when the test says so. */
function syncedByHand() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const open: OpenDatabase = (path, options) => {
    const database = openNodeSqlite(path, options);
    const byHand = { sync: () => (syncs[syncs.push(Promise.withResolvers()) - 1] as Sync).promise };
    // A copy would lose the getter.
    return Object.setPrototypeOf(byHand, database);
  };
  const begun = async () => {
    while (syncs.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return syncs.shift() as Sync;
  };
  /** Closes a store, whose last commit is synced. */
  const close = async (store: SqliteStore) => {
    const closing = store.close();
    (await begun()).resolve();
    await closing;
  };
  return { begun, close, open };
}
type Sync = PromiseWithResolvers<void>;

test("no write succeeds before it is synced, and what comes meanwhile shares the next sync", async () => {
  const { begun, close, open } = syncedByHand();
  const { store } = createStore(makeDirectory(), new ManualClock(), open);
  await store.open();
  const succeeded: number[] = [];
  const write = (n: number) => store.enqueue([update("a", n)]).then(() => succeeded.push(n));
  const first = write(1);
  const firstSync = await begun();
  const others = [write(2), write(3)];
  await settle();
  expect(succeeded).toEqual([]);
  firstSync.resolve();
  await first;
  const secondSync = await begun();
  expect(succeeded).toEqual([1]);
  secondSync.resolve();
  await Promise.all(others);
  expect(succeeded).toEqual([1, 2, 3]);
  await close(store);
});

test("a sync that fails ends all writing", async () => {
  const { begun, open } = syncedByHand();
  const { fatal, store } = createStore(makeDirectory(), new ManualClock(), open);
  await store.open();
  const write = store.enqueue([update("a", 1)]);
  const refused = expect(write).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  (await begun()).reject(new StorageFailedError("the sync failed"));
  await refused;
  await expect(store.enqueue([update("b", 2)])).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  expect(fatal).toEqual(["STORAGE_FAILED"]);
});

test("a write that fails does not affect the other writes of its group", async () => {
  const { store } = createStore(makeDirectory());
  await store.open();
  const impossible = { ...update("b", 2), payload: { n: 2n as unknown as number } };
  const results = await Promise.allSettled([
    store.enqueue([update("a", 1)]),
    store.enqueue([impossible]),
    store.enqueue([update("c", 3)]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await store.depth("handling")).toBe(2);
});

test("a transaction that waits for anything but the database is given up", async () => {
  const clock = new ManualClock();
  const { store } = createStore(makeDirectory(), clock);
  await store.open();
  const waiting = store.transaction(() => new Promise(() => {}));
  const other = store.enqueue([update("a", 1)]);
  const refused = expect(waiting).rejects.toMatchObject({ code: "TRANSACTION_TOO_SLOW" });
  await clock.advance(5_000);
  await refused;
  expect((await other)[0]?.kind).toBe("queued");
});

test.each<[string, (directory: string) => void]>([
  ["the directory is removed", (directory) => rmSync(directory, { recursive: true })],
  ["the directory is moved away", (directory) => renameSync(directory, `${directory}.moved`)],
  ["the file is removed", (directory) => rmSync(join(directory, "bot.db"))],
  ["the journal is removed", (directory) => rmSync(join(directory, "bot.db-wal"))],
  ["the lock is removed", (directory) => rmSync(join(directory, "lock"))],
  [
    "the file is replaced",
    (directory) => {
      copyFileSync(join(directory, "bot.db"), join(directory, "copy"));
      renameSync(join(directory, "copy"), join(directory, "bot.db"));
    },
  ],
])("when %s, nothing more counts as stored, and the process has to end", async (_, harm) => {
  const directory = makeDirectory();
  onTestFinished(() => rmSync(`${directory}.moved`, { recursive: true, force: true }));
  const { fatal, store } = createStore(directory);
  await store.open();
  await store.enqueue([update("a", 1)]);
  harm(directory);
  const refused = { code: "STORAGE_UNAVAILABLE", hint: expect.stringContaining("DATA_DIR") };
  await expect(store.enqueue([update("a", 2)])).rejects.toMatchObject(refused);
  expect(fatal).toEqual(["STORAGE_UNAVAILABLE"]);
  await expect(store.enqueue([update("a", 3)])).rejects.toMatchObject(refused);
});

test("an idle store notices that its files are gone when it is asked", async () => {
  const directory = makeDirectory();
  const { fatal, store } = createStore(directory);
  await store.open();
  store.verify();
  expect(fatal).toEqual([]);
  rmSync(directory, { recursive: true });
  store.verify();
  store.verify();
  expect(fatal).toEqual(["STORAGE_UNAVAILABLE"]);
  await expect(store.enqueue([update("a", 1)])).rejects.toThrow("removed or replaced");
});

describe("with a mark of the database in another directory", () => {
  async function setup() {
    const directory = join(makeDirectory(), "data");
    const marks = makeDirectory();
    const open = async (where = directory) => {
      const { store } = createStore(where, new ManualClock(), undefined, marks);
      const previousEnd = await store.open();
      await store.close();
      return previousEnd;
    };
    await open();
    const markFile = join(marks, readdirSync(marks)[0] ?? "");
    return { directory, markFile, marks, open };
  }

  test.each<[string, (directory: string) => void]>([
    ["is gone", (directory) => rmSync(directory, { recursive: true })],
    ["is empty", (directory) => writeFileSync(join(directory, "bot.db"), "")],
  ])("a start whose database %s is refused, until a person confirms", async (_, harm) => {
    const { directory, markFile, open } = await setup();
    harm(directory);
    const refused = {
      code: "STORAGE_MISSING",
      exitCode: 78,
      hint: expect.stringContaining("rm '"),
    };
    await expect(open()).rejects.toMatchObject(refused);
    // Being refused changes nothing about the next start.
    await expect(open()).rejects.toMatchObject({ hint: expect.stringContaining(markFile) });
    rmSync(markFile);
    expect(await open()).toBe("first");
    expect(await open()).toBe("clean");
  });

  test("another database in its place is refused, and a copy of the same one is not", async () => {
    const { directory, open } = await setup();
    const path = join(directory, "bot.db");
    const same = join(makeDirectory(), "same.db");
    copyFileSync(path, same);
    const elsewhere = join(makeDirectory(), "elsewhere");
    await open(elsewhere);
    copyFileSync(join(elsewhere, "bot.db"), path);
    await expect(open()).rejects.toThrow("is another database than the one that was used here");
    copyFileSync(same, path);
    expect(await open()).toBe("clean");
  });

  test("a backup from before databases had an identity is taken", async () => {
    const { directory, open } = await setup();
    const database = openNodeSqlite(join(directory, "bot.db"));
    database.exec("DELETE FROM settings WHERE name = 'storage.identity'");
    database.close();
    expect(await open()).toBe("clean");
    rmSync(directory, { recursive: true });
    await expect(open()).rejects.toMatchObject({ code: "STORAGE_MISSING" });
  });

  test.each<[string, (marks: string, markFile: string) => void]>([
    ["gone", (marks) => rmSync(marks, { recursive: true })],
    ["unreadable", (_, markFile) => writeFileSync(markFile, "{")],
  ])("a mark that is %s keeps no bot from starting", async (_, harm) => {
    const { markFile, marks, open } = await setup();
    harm(marks, markFile);
    expect(await open()).toBe("clean");
  });
});

test("the ledger cannot be changed, even by hand", async () => {
  const directory = makeDirectory();
  const { store } = createStore(directory);
  await store.open();
  await store.transaction(async (tx) => {
    await shopOf(tx).insertAccount({ userId: 1, createdAtEpochMs: 0 });
    const entry = { userId: 1, amountMinor: 5, kind: "welcome", reference: "1" } as const;
    await shopOf(tx).appendLedgerEntry({ ...entry, createdAtEpochMs: 0 });
  });
  await store.close();
  const database = openNodeSqlite(join(directory, "bot.db"));
  onTestFinished(() => database.close());
  expect(() => database.exec("UPDATE ledger SET amount_minor = 9")).toThrow("append-only");
  expect(() => database.exec("DELETE FROM ledger")).toThrow("append-only");
});

test.each<[string, (path: string) => void, string]>([
  ["noise", (path) => writeFileSync(path, Buffer.alloc(9_000, "noise")), "STORAGE_CORRUPT"],
  ["another program's database", makeForeign, "STORAGE_"],
  ["a newer version's database", makeNewer, "STORAGE_"],
  ["a torn database", tear, "STORAGE_CORRUPT"],
])("%s is refused and left unchanged", async (_, spoil, code) => {
  const directory = makeDirectory();
  const { store } = createStore(directory);
  await store.open();
  await store.enqueue(Array.from({ length: 200 }, (__, n) => update(`lane ${n}`, n)));
  await store.close();
  const path = join(directory, "bot.db");
  spoil(path);
  const before = readFileSync(path);
  const error = await createStore(directory)
    .store.open()
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: expect.stringContaining(code) });
  expect(error).toHaveProperty("hint", expect.stringMatching(/\w/));
  expect(readFileSync(path).equals(before)).toBe(true);
});

function makeForeign(path: string): void {
  rmSync(path);
  const database = openNodeSqlite(path);
  database.exec("CREATE TABLE theirs (a)");
  database.close();
}

function makeNewer(path: string): void {
  const database = openNodeSqlite(path);
  database.exec("INSERT INTO migrations VALUES (9999, 0)");
  database.close();
}

/** Damages a file like a disk that lost some pages; the end was unclean, so the file is checked. */
function tear(path: string): void {
  const database = openNodeSqlite(path);
  database.exec("UPDATE boots SET ended_at = NULL; PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const contents = readFileSync(path);
  contents.fill(0x5a, 4096 * 3, contents.length - 4096);
  writeFileSync(path, contents);
}

test("a full disk refuses writes until there is room again", async (context) => {
  const directory = makeDirectory();
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", directory]).status !== 0) {
    context.skip("a small file system cannot be mounted here (needs root)");
  }
  onTestFinished(() => void execFileSync("umount", ["-l", directory]));
  const { fatal, store } = createStore(directory);
  await store.open();
  await store.enqueue([update("kept", 0)]);
  const large = (n: number) => ({
    ...update(`l${n}`, n),
    payload: { n, text: "x".repeat(50_000) },
  });
  const fill = async () => {
    for (let n = 0; n < 100; n++) await store.enqueue([large(n)]);
  };
  writeFileSync(join(directory, "ballast"), Buffer.alloc(900_000));
  await expect(fill()).rejects.toMatchObject({ code: "STORAGE_FULL", transient: true });
  rmSync(join(directory, "ballast"));
  await store.enqueue([update("again", 1)]);
  expect(fatal).toEqual([]);
  expect((await claim(store, { limit: 1 }))[0]?.lane).toBe("kept");
});

test("a read-only disk is refused with what to do", async (context) => {
  const directory = makeDirectory();
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", directory]).status !== 0) {
    context.skip("a read-only file system cannot be mounted here (needs root)");
  }
  onTestFinished(() => void execFileSync("umount", ["-l", directory]));
  await expect(createStore(directory).store.open()).rejects.toMatchObject({
    code: "STORAGE_UNAVAILABLE",
    hint: expect.stringContaining("DATA_DIR"),
  });
});

test("a second process is refused while the first one lives", async () => {
  const directory = makeDirectory();
  const { store } = createStore(directory);
  await store.open();
  const second = createStore(directory).store;
  await expect(second.open()).rejects.toMatchObject({ code: "STORAGE_IN_USE" });
  await store.close();
  expect(await second.open()).toBe("clean");
});

test("a clock set back by years between two runs delays nothing", async () => {
  const directory = makeDirectory();
  const year = 365 * 86_400_000;
  const ahead = new ManualClock(Date.UTC(2036, 0, 1));
  const first = createStore(directory, ahead).store;
  await first.open();
  const availableAtEpochMs = ahead.epochMs() + 1_000;
  await first.enqueue([update("a", 1), { ...update("b", 2), availableAtEpochMs }]);
  await first.close();
  const clock = new ManualClock(Date.UTC(2036, 0, 1) - 10 * year);
  const { store } = createStore(directory, clock);
  await store.open();
  await clock.advance(120_000);
  expect((await claim(store)).map(({ lane }) => lane).sort()).toEqual(["a", "b"]);
});

test("a clock set back is undone once for everything that waits, and shortens no wait", async () => {
  const directory = makeDirectory();
  const hour = 3_600_000;
  const now = Date.UTC(2026, 0, 1);
  const first = createStore(directory, new ManualClock(now)).store;
  await first.open();
  await first.enqueue([update("a", 1), update("a", 2), update("parked", 3)]);
  const parked = (await claim(first)).find(({ lane }) => lane === "parked");
  await first.finish(ref(parked!), {
    kind: "postponed",
    availableAtEpochMs: now + 60_000,
    parkLane: true,
  });
  await first.setFact("all.parked-until", String(now + 60_000));
  await first.transaction((tx) => tx.documents.put("c", "k", 1, { keepMs: 60_000 }));
  await first.close();

  // There are two starts, because the second one must not correct the same step again.
  for (const afterMs of [0, 1_000]) {
    const { store } = createStore(directory, new ManualClock(now - 2 * hour + afterMs));
    await store.open();
    await store.recover(() => ({ outcome: { kind: "released" } }));
    expect(await store.getFact("all.parked-until")).toBe(String(now - 2 * hour + 60_000));
    await store.close();
  }
  const clock = new ManualClock(now - 2 * hour + 5_000);
  const { store } = createStore(directory, clock);
  await store.open();
  for (const n of [1, 2]) {
    const [message, ...others] = await claim(store);
    expect([message?.payload, others]).toEqual([{ n }, []]);
    await store.finish(ref(message!), { kind: "done", enqueue: [] });
  }
  const documents = () => store.transaction((tx) => tx.documents.list("c"));
  await clock.advance(54_000);
  expect(await claim(store)).toEqual([]);
  expect(await documents()).toHaveLength(1);
  await clock.advance(2_000);
  expect(await claim(store)).toHaveLength(1);
  expect(await documents()).toEqual([]);
});

test("a message that was delayed and is in hand when a clock is set back a little is handled once", async () => {
  const directory = makeDirectory();
  const start = Date.UTC(2026, 0, 1);
  const clock = new ManualClock(start);
  const disk = new SimulatedDisk(() => undefined);
  const first = createStore(directory, clock, disk.open).store;
  await first.open();
  await first.enqueue([{ ...update("a", 1), availableAtEpochMs: start + 10_000 }]);
  await clock.advance(10_000);
  expect(await claim(first)).toHaveLength(1);
  disk.kill();
  const next = new ManualClock(start + 9_500);
  const { store } = createStore(directory, next);
  await store.open();
  await store.recover(() => ({ outcome: { kind: "released" } }));
  const [again] = await claim(store);
  await store.finish(ref(again), { kind: "done", enqueue: [] });
  await store.enqueue([
    { ...update("b", 2), availableAtEpochMs: start + 9_900 },
    { ...update("c", 3), availableAtEpochMs: start + 10_200 },
  ]);
  await next.advance(1_000);
  expect((await claim(store)).map(({ lane }) => lane)).toEqual(["b", "c"]);
});

describe("where the machine tells since when it runs", () => {
  const start = Date.UTC(2026, 0, 1);
  const hour = 3_600_000;

  /** The machine's clock, set by so much, so long after the machine's start. */
  function clockAt(uptimeMs: number, setByMs = 0, id = "this boot"): ManualClock {
    const clock = new ManualClock(start + uptimeMs + setByMs);
    return Object.assign(clock, {
      machineBoot: () => ({ id, uptimeMs: uptimeMs + clock.monotonicMs() }),
    });
  }

  /** Waits until a minute after the machine's start. */
  async function parkUntilOneMinute(directory: string): Promise<void> {
    const { store } = createStore(directory, clockAt(0));
    await store.open();
    await store.enqueue([{ ...update("a", 1), availableAtEpochMs: start + 60_000 }]);
    await store.recordSent({ scope: "a", cost: 1, atEpochMs: start });
    await store.close();
  }

  test.each([
    ["forward", 48 * hour],
    ["forward by less than the pause", 2_000],
    ["back", -48 * hour],
    ["back by less than the pause", -2_000],
  ])(
    "a clock set %s between two runs changes no wait, however often it is found",
    async (_, by) => {
      const directory = makeDirectory();
      await parkUntilOneMinute(directory);
      for (const uptimeMs of [20_000, 40_000]) {
        const { store } = createStore(directory, clockAt(uptimeMs, by));
        await store.open();
        expect(await store.sentSince(0)).toMatchObject([{ atEpochMs: start + by }]);
        await store.close();
      }
      const clock = clockAt(50_000, by);
      const { store } = createStore(directory, clock);
      await store.open();
      await clock.advance(9_000);
      expect(await claim(store)).toEqual([]);
      await clock.advance(2_000);
      expect(await claim(store)).toHaveLength(1);
    },
  );

  test.each<[string, () => ManualClock]>([
    ["the machine was started again", () => clockAt(10_000, 48 * hour, "another boot")],
    ["the machine no longer tells", () => new ManualClock(start + 48 * hour)],
    ["its time since the boot went back", () => clockAt(-5_000, 48 * hour)],
  ])("when %s, time that the clock shows has passed", async (_, then) => {
    const directory = makeDirectory();
    await parkUntilOneMinute(directory);
    const { store } = createStore(directory, then());
    await store.open();
    expect(await claim(store)).toHaveLength(1);
  });

  test("a record that a version without records left behind makes nothing late", async () => {
    const directory = makeDirectory();
    await parkUntilOneMinute(directory);
    const database = openNodeSqlite(join(directory, "bot.db"));
    const setTo = start + 20_000 + hour;
    database.prepare("INSERT INTO boots (pid, started_at) VALUES (1, ?)").run(setTo);
    database.close();
    const { store } = createStore(directory, clockAt(30_000, hour));
    await store.open();
    expect(await claim(store)).toHaveLength(1);
  });
});

test("a database in which lanes were a table keeps order, parks and what was in hand", async () => {
  const directory = makeDirectory();
  const clock = new ManualClock();
  const first = createStore(directory, clock).store;
  await first.open();
  const waiting = ["held", "held", "parked", "postponed"].map((lane, n) => update(lane, n));
  await first.enqueue(waiting);
  await first.close();
  const database = openNodeSqlite(join(directory, "bot.db"));
  database.exec(backToLaneTable);
  const later = clock.epochMs() + 5_000;
  database.exec(`
    UPDATE lanes SET busy = 1 WHERE lane = 'held';
    UPDATE lanes SET not_before = ${later}, available_at = ${later} WHERE lane = 'parked';
    UPDATE lanes SET available_at = ${later} WHERE lane = 'postponed';
    INSERT INTO lanes VALUES ('empty', 'handling', NULL, 0, 0, 0, 2, 0, ${later}, 0, 0)`);
  database.close();

  const { store } = createStore(directory, clock);
  await store.open();
  const recovered = await store.recover(() => ({ outcome: { kind: "released" } }));
  expect(recovered).toMatchObject([{ payload: { n: 0 }, deaths: 1 }]);
  await store.enqueue([update("empty", 4)]);
  const [held, ...others] = await claim(store);
  expect([held?.payload, others]).toEqual([{ n: 0 }, []]);
  await store.finish(ref(held), { kind: "done", enqueue: [] });
  expect((await claim(store)).map(({ payload }) => payload)).toEqual([{ n: 1 }]);
  await clock.advance(5_000);
  expect((await claim(store)).map(({ lane }) => lane)).toEqual(["parked", "postponed", "empty"]);
});

test("it knows how many keys it remembers, also of messages that came again", async () => {
  const clock = new ManualClock();
  const { store } = createStore(makeDirectory(), clock);
  await store.open();
  const keyed = (...dedupeKeys: string[]) => ({ ...update("a", 1), dedupeKeys });
  const count = async () => (await store.snapshot()).dedupeKeys;
  await store.enqueue([keyed("a", "b"), keyed("a"), keyed("c", "b")]);
  expect(await count()).toBe(3);
  await clock.advance(60_001);
  await store.enqueue([keyed("a")]);
  expect(await count()).toBe(3);
  const now = clock.epochMs();
  await store.sweep({
    deadLettersBeforeEpochMs: now,
    sentBeforeEpochMs: now,
    referencesBeforeEpochMs: now,
  });
  expect(await count()).toBe(1);
});

test("a claim that meets a defect gives out what it has claimed before", async () => {
  const { store } = createStore(makeDirectory());
  await store.open();
  await store.enqueue([update("a", 1), update("b", 2)]);
  const admit = ({ lane }: { readonly lane: string }) => {
    if (lane === "b") throw new TypeError("a defect");
    return "take" as const;
  };
  const [first] = await claim(store, { admit });
  expect(first?.lane).toBe("a");
  await expect(claim(store, { admit })).rejects.toThrow("a defect");
  await store.finish(ref(first), { kind: "done", enqueue: [] });
  expect((await claim(store)).map(({ lane }) => lane)).toEqual(["b"]);
});

test("reads and commits go on during a sync, reads cost none, and what follows is synced after it", async () => {
  const { begun, close, open } = syncedByHand();
  const { store } = createStore(makeDirectory(), new ManualClock(), open);
  await store.open();
  const get = () => store.read(({ documents }) => documents.get("c", "k"));
  expect(await Promise.all([get(), get()])).toEqual([undefined, undefined]);
  const put = store.transaction(({ documents }) => documents.put("c", "k", 1));
  const sync = await begun();
  expect(await get()).toBe(1);
  let follows: unknown = "is not committed";
  const follow = store
    .transaction(({ documents }) => documents.put("c", "k", 2))
    .then(() => {
      follows = "is synced";
    });
  await settle();
  expect(await get()).toBe(2);
  sync.resolve();
  await put;
  const next = await begun();
  expect(follows).toBe("is not committed");
  next.resolve();
  await follow;
  await close(store);
});

test("an update is handled while its claim is synced, a send leaves only after that", async () => {
  const { begun, close, open } = syncedByHand();
  const { store } = createStore(makeDirectory(), new ManualClock(), open);
  await store.open();
  const send = { ...update("b", 1), type: "send", pool: "sending" } as const;
  const told: string[] = [];
  const note = (name: string) => () => void told.push(name);
  const submitted = [
    store.enqueue([update("a", 1), send]).then(note("queued")),
    claim(store, { pool: "handling" }).then(note("update")),
    claim(store, { pool: "sending" }).then(note("send")),
  ];
  const sync = await begun();
  await settle();
  expect(told).toEqual(["update"]);
  sync.resolve();
  await Promise.all(submitted);
  expect(told).toEqual(["update", "queued", "send"]);
  await close(store);
});

test("an update is synced with what its handler commits", async () => {
  const { begun, close, open } = syncedByHand();
  const { store } = createStore(makeDirectory(), new ManualClock(), open);
  await store.open();
  const queued = store.enqueue([update("a", 1)]);
  const [message] = await claim(store, { pool: "handling" });
  const finished = store.finish(ref(message), { kind: "done", enqueue: [] });
  const sync = await begun();
  sync.resolve();
  await Promise.all([queued, finished]);
  await close(store);
});

test("a sync that fails while a transaction waits leaves nothing of that one", async () => {
  const { begun, open } = syncedByHand();
  const directory = makeDirectory();
  const { fatal, store } = createStore(directory, new ManualClock(), open);
  await store.open();
  const write = expect(store.enqueue([update("a", 1)])).rejects.toThrow("the sync failed");
  const sync = await begun();
  const waits = Promise.withResolvers<void>();
  const transaction = store.transaction(async ({ documents }) => {
    await documents.put("c", "before", 1);
    await waits.promise;
    await documents.put("c", "after", 1);
  });
  await settle();
  sync.reject(new StorageFailedError("the sync failed"));
  await write;
  waits.resolve();
  await expect(transaction).rejects.toThrow("the sync failed");
  expect(fatal).toEqual(["STORAGE_FAILED"]);
  await store.close();
  const next = createStore(directory).store;
  await next.open();
  const kept = (key: string) => next.read(({ documents }) => documents.get("c", key));
  expect(await Promise.all([kept("before"), kept("after")])).toEqual([undefined, undefined]);
});

test("a slow read during a sync holds up nobody who waits for the sync, only the next transaction", async () => {
  const { begun, close, open } = syncedByHand();
  const { store } = createStore(makeDirectory(), new ManualClock(), open);
  await store.open();
  const first = store.enqueue([update("a", 1)]);
  const sync = await begun();
  const slow = Promise.withResolvers<void>();
  const read = store.read(() => slow.promise);
  await settle();
  const second = store.enqueue([update("a", 2)]);
  sync.resolve();
  await first;
  slow.resolve();
  await read;
  (await begun()).resolve();
  await second;
  await close(store);
});

test("a read that writes is refused, and the reads beside it are not", async () => {
  const { store } = createStore(makeDirectory());
  await store.open();
  await store.enqueue([{ ...update("a", 1), key: { name: "k", again: "refuse" } }]);
  const refused = [
    store.read(({ documents }) => documents.put("c", "k", 1)),
    store.read((tx) => tx.messages.cancel("k")),
  ];
  const read = store.read(({ messages }) => messages.find("k"));
  for (const one of refused) {
    await expect(one).rejects.toMatchObject({
      code: "DATA_REFUSED",
      message: expect.stringContaining("Write in a transaction"),
    });
  }
  expect(await read).toMatchObject({ kind: "waiting" });
  expect(await store.read(({ documents }) => documents.get("c", "k"))).toBeUndefined();
  expect(await claim(store)).toHaveLength(1);
});

test("commits go on while reads come without end", async () => {
  const { store } = createStore(makeDirectory());
  await store.open();
  let ended = false;
  const readOn = async () => {
    while (!ended) await store.read(async () => {});
  };
  const reading = [readOn(), readOn()];
  await store.enqueue([update("a", 1)]);
  ended = true;
  await Promise.all(reading);
  expect(await claim(store)).toHaveLength(1);
});

test("what a transaction did in memory is undone when the disk refuses it", async () => {
  let full = false;
  const disk = new SimulatedDisk((point) =>
    full && point === "commit" ? { kind: "full" } : undefined,
  );
  const { fatal, store } = createStore(makeDirectory(), new ManualClock(), disk.open);
  await store.open();
  await store.enqueue([update("a", 1), update("a", 2), update("b", 3)]);
  const [held] = await claim(store, { limit: 1 });
  const done = { kind: "done", enqueue: [update("c", 4)] } as const;
  full = true;
  const refused = await Promise.allSettled([
    store.finish(ref(held), done),
    store.enqueue([{ ...update("d", 5), dedupeKeys: ["k"] }]),
    claim(store),
  ]);
  expect(refused.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  const before = { waiting: 2, inHand: 1, lanes: 2 };
  expect((await store.snapshot()).pools.handling).toMatchObject(before);
  full = false;
  expect((await claim(store)).map(({ payload }) => payload)).toEqual([{ n: 3 }]);
  await store.finish(ref(held), done);
  const again = await store.enqueue([{ ...update("d", 5), dedupeKeys: ["k"] }]);
  expect(again).toMatchObject([{ kind: "queued" }]);
  const rest = (await claim(store)).map(({ payload }) => payload["n"]);
  expect([rest.sort(), fatal]).toEqual([[2, 4, 5], []]);
});

test("the file does not grow forever", async () => {
  const directory = makeDirectory();
  const clock = new ManualClock();
  const { store } = createStore(directory, clock);
  await store.open();
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    for (let batch = 0; batch < 10; batch++) {
      const messages = Array.from({ length: 100 }, (_, n) => {
        const id = `${round}:${batch}:${n}`;
        const payload = { n, text: "x".repeat(500) };
        return { ...update(id, n), payload, dedupeKeys: [id] };
      });
      await store.enqueue(messages);
      const claimed = await claim(store, { limit: 100 });
      const done = { kind: "done", enqueue: [] } as const;
      await Promise.all(claimed.map((message) => store.finish(ref(message), done)));
    }
    await clock.advance(60_001);
    const now = clock.epochMs();
    await store.sweep({
      deadLettersBeforeEpochMs: now,
      sentBeforeEpochMs: now,
      referencesBeforeEpochMs: now,
    });
    sizes.push(statSync(join(directory, "bot.db")).size);
  }
  expect(await store.depth("handling")).toBe(0);
  expect(sizes.at(-1)).toBeLessThanOrEqual((sizes[1] ?? 0) * 1.1);
});
