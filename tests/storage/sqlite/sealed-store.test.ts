/** The store at rest: the contents of its file, the keys that open it, and key rotation. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { EncryptionKeys } from "../../../bot/core/encryption-keys.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import type { Store } from "../../../bot/core/store.ts";
import { shopOf, shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { keyIdOf } from "../../../bot/storage/sealing/sealing-key.ts";
import { type OpenDatabase, openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { SqliteStore } from "../../../bot/storage/sqlite/sqlite-store.ts";
import { readTables } from "../../../bot/storage/sqlite/table-reader.ts";
import { crashAsPlanned, SimulatedDisk } from "../../../lab/simulation/simulated-disk.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { backToLaneTable } from "../../support/older-database.ts";
import { claim, ref, update } from "../store-conformance.ts";

const words = [
  "Zebrafinch",
  "Quokkaname",
  "quokka_user",
  "Axolotlnote",
  "Narwhalresult",
  "Pangolinword",
];
const temporary = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

function setup() {
  const directory = mkdtempSync(join(temporary, "sealed-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const fatal: string[] = [];
  const events: BotEvent[] = [];
  const path = join(directory, "bot.db");
  const create = (keys: EncryptionKeys = keysOf("key"), openDatabase?: OpenDatabase) => {
    const store = new SqliteStore({
      directory,
      clock,
      keys,
      publish: (event) => events.push(event),
      onFatal: ({ code }) => fatal.push(code),
      tableSets: [shopTables],
      backupsKept: 1,
      dedupeKeepMs: 60_000,
      laneLengthMax: 1_000,
      ...(openDatabase && { openDatabase }),
    });
    onTestFinished(() => store.close());
    return store;
  };
  const openStore = async (...parameters: Parameters<typeof create>) => {
    const store = create(...parameters);
    await store.open();
    return store;
  };
  /** Changes the file like an attacker who has the file but not the key. */
  const tamper = (...statements: string[]) => {
    const database = openNodeSqlite(path);
    for (const sql of statements) database.exec(sql);
    database.close();
  };
  const contents = () =>
    ["", "-wal", "-journal"]
      .filter((suffix) => existsSync(path + suffix))
      .map((suffix) => readFileSync(path + suffix).toString("latin1"))
      .join("");
  return { clock, contents, create, directory, events, fatal, openStore, path, tamper };
}

/** Finds the people with this username, as `npm run find-user` does. */
function find(path: string, username: string, keys = keysOf("key")) {
  return readTables(path, keys, shopTables, (tables) => tables.findByUsername(username));
}

/** Stores one of everything that is sealed. */
async function fill(store: Store): Promise<void> {
  const said = (lane: string, n: number) => ({
    ...update(lane, n),
    payload: { n, text: `Zebrafinch ${n}` },
  });
  await store.enqueue([said("dead", 1), said("stepping", 2)]);
  const [dead, stepping] = await claim(store);
  await store.enqueue([said("waiting", 3), said("later", 4)]);
  const outcome = { kind: "dead", reason: "refused", error: undefined, enqueue: [] } as const;
  await store.finish(ref(dead), outcome);
  const work = async () => "Narwhalresult";
  await store.step(ref(stepping), "s", work, () => []);
  await store.transaction(async (tx) => {
    const { nowEpochMs } = tx;
    await shopOf(tx).insertAccount({ userId: 7, createdAtEpochMs: nowEpochMs });
    await shopOf(tx).setProfile(7, { firstName: "Quokkaname", username: "Quokka_User" });
    const wish = { userId: 7, sku: "tea", priceMinor: 1, idempotencyKey: "7:a" };
    const { id } = await shopOf(tx).insertOrder({ ...wish, createdAtEpochMs: nowEpochMs });
    await shopOf(tx).setOrderNote(id, "Axolotlnote");
    await tx.documents.put("notes", "7", { said: "Pangolinword" });
  });
}

/** Reads back everything that `fill` stored. */
async function readAll(store: Store) {
  const letters = await store.deadLetters({ offset: 0, limit: 10 });
  const recovered = await store.recover(() => ({ outcome: { kind: "released" } }));
  const claimed = await claim(store, { limit: 100 });
  const stepping = claimed.find(({ lane }) => lane === "stepping");
  const never = () => Promise.reject(new Error("must not run twice"));
  const result = await store.step(ref(stepping), "s", never, () => []);
  const shop = await store.transaction(async (tx) => ({
    profile: await shopOf(tx).findProfile(7),
    order: await shopOf(tx).findOrder(1),
    document: await tx.documents.get("notes", "7"),
  }));
  return {
    dead: letters.map(({ payload }) => payload),
    recovered: recovered.length,
    texts: claimed.map(({ payload }) => payload["text"]),
    result,
    profile: shop.profile,
    note: shop.order?.note,
    document: shop.document,
  };
}

const everything = {
  dead: [{ n: 1, text: "Zebrafinch 1" }],
  recovered: 1,
  texts: ["Zebrafinch 2", "Zebrafinch 3", "Zebrafinch 4"],
  result: "Narwhalresult",
  profile: { firstName: "Quokkaname", username: "Quokka_User" },
  note: "Axolotlnote",
  document: { said: "Pangolinword" },
};

test("nothing that people say or are called is readable in the file, and all of it comes back", async () => {
  const { contents, openStore } = setup();
  const crashing = new SimulatedDisk(crashAsPlanned(immortal));
  await fill(await openStore(keysOf("key"), crashing.open));
  for (const word of words) expect(contents().toLowerCase()).not.toContain(word.toLowerCase());
  crashing.kill();
  const store = await openStore();
  expect(await readAll(store)).toEqual(everything);
  await store.backup();
  for (const word of words) expect(contents().toLowerCase()).not.toContain(word.toLowerCase());
});

const immortal = { atCommit: Number.POSITIVE_INFINITY, reachedDisk: true };

const swapPayloads = `UPDATE messages SET payload =
  (SELECT payload FROM messages other WHERE other.id = 7 - messages.id) WHERE id IN (3, 4)`;

test.each<[string, string]>([
  ["two rows' payloads exchanged", swapPayloads],
  ["a payload in plain text", `UPDATE messages SET payload = '{"n":9}' WHERE id = 3`],
  ["a shortened payload", "UPDATE messages SET payload = substr(payload, 1, 40) WHERE id = 3"],
  ["another row's id", "UPDATE messages SET origin = 4 WHERE id = 3"],
])("%s is noticed, and the store is no longer trusted", async (_, sql) => {
  const { fatal, openStore, tamper } = setup();
  const first = await openStore();
  await fill(first);
  await first.close();
  tamper(sql);
  const store = await openStore();
  const asked = store.claim({
    pool: "handling",
    limit: 10,
    agedLimit: 0,
    agedBefore: { normal: 0, low: 0 },
    suspects: "without",
    admit: () => "take",
  });
  await expect(asked).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
  expect(fatal).toEqual(["STORAGE_CORRUPT"]);
});

test("one person's profile or note does not open as another's", async () => {
  const { openStore, tamper } = setup();
  const first = await openStore();
  await fill(first);
  await first.close();
  tamper("INSERT INTO accounts SELECT 8, created_at, profile, username_index FROM accounts");
  const store = await openStore();
  const asked = store.transaction((tx) => shopOf(tx).findProfile(8));
  await expect(asked).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
});

test("one key's document does not open as another's", async () => {
  const { openStore, tamper } = setup();
  const first = await openStore();
  await fill(first);
  await first.close();
  tamper("UPDATE documents SET key = '8'");
  const store = await openStore();
  const asked = store.transaction((tx) => tx.documents.list("notes"));
  await expect(asked).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
});

test.each<[string, EncryptionKeys]>([
  ["a wrong key", keysOf("another key")],
  ["a lost key", keysOf(undefined)],
  ["a wrong key with a wrong previous one", keysOf("another key", "a third one")],
])("%s is refused with what to do, and nothing is written", async (_, keys) => {
  const { create, openStore, path } = setup();
  const first = await openStore();
  await fill(first);
  await first.close();
  const before = readFileSync(path);
  await expect(create(keys).open()).rejects.toMatchObject({
    code: "CONFIGURATION_ENCRYPTION_KEY",
    hint: expect.stringContaining("Nothing was overwritten"),
  });
  expect(readFileSync(path).equals(before)).toBe(true);
  const store = await openStore();
  expect(await store.depth("handling")).toBe(3);
});

test("a key is made only once, by a store without one", async () => {
  const { openStore } = setup();
  let made = 0;
  const file: { key: ReturnType<EncryptionKeys["find"]> } = { key: undefined };
  const keys: EncryptionKeys = {
    find: () => file.key,
    previous: undefined,
    create: () => {
      made++;
      file.key = keysOf("made").find();
      return file.key as NonNullable<typeof file.key>;
    },
  };
  for (let start = 0; start < 3; start++) await (await openStore(keys)).close();
  expect(made).toBe(1);
});

test("people are found by username in any case while the bot writes, even while keys rotate", async () => {
  const { openStore, path } = setup();
  const store = await openStore();
  await fill(store);
  expect(await find(path, "QUOKKA_user")).toEqual([7]);
  await store.rotateKey();
  await store.transaction(async (tx) => {
    await shopOf(tx).insertAccount({ userId: 8, createdAtEpochMs: 0 });
    await shopOf(tx).setProfile(8, { firstName: "Other", username: "quokka_user" });
  });
  expect((await find(path, "Quokka_User")).toSorted()).toEqual([7, 8]);
  await store.transaction((tx) => shopOf(tx).setProfile(7, undefined));
  expect(await find(path, "Quokka_User")).toEqual([8]);
  expect(await find(path, "quokka")).toEqual([]);
  const wrong = expect.objectContaining({ code: "CONFIGURATION_ENCRYPTION_KEY" });
  await expect(find(path, "quokka", keysOf("wrong"))).rejects.toThrow(wrong);
});

test("one start with both keys changes the encryption key, and the old key no longer opens the file", async () => {
  const { create, events, openStore } = setup();
  const first = await openStore(keysOf("old"));
  await fill(first);
  await first.close();
  const second = await openStore(keysOf("new", "old"));
  expect(events).toContainEqual({ type: "encryption-key.changed" });
  await second.close();
  await expect(create(keysOf("old")).open()).rejects.toMatchObject({
    code: "CONFIGURATION_ENCRYPTION_KEY",
  });
  const store = await openStore(keysOf("new"));
  expect(await readAll(store)).toEqual(everything);
});

/** Returns the key ids used in the file and the number of data keys. */
function keysInFile(path: string) {
  const database = openNodeSqlite(path);
  const columns = ["messages.payload", "dead_letters.payload", "steps.result", "accounts.profile"];
  const ids = [...columns, "orders.note", "documents.value"].flatMap((name) => {
    const [table, column] = name.split(".");
    const rows = database.prepare(`SELECT ${column} AS v FROM ${table}`).all<{ v: unknown }>();
    return rows.map(({ v }) => keyIdOf(v));
  });
  const keys = database.prepare("SELECT id FROM data_keys").all<{ id: number }>();
  database.close();
  return { ids, keys: keys.map(({ id }) => id) };
}

test("a rotation seals everything with the new key during other writes, and drops the old key", async () => {
  const { clock, events, openStore, path } = setup();
  const store = await openStore();
  await fill(store);
  const many = Array.from({ length: 450 }, (_, n) => update(`many ${n}`, n));
  await store.enqueue(many);
  const [answer, again] = [await store.rotateKey(), await store.rotateKey()];
  expect(answer).toEqual({ keyId: 2 });
  expect(again).toEqual(answer);
  await clock.advance(25);
  await store.enqueue([update("meanwhile", 1)]);
  // This moves a row from a table the pass has not reached to one it has passed.
  await store.requeue(1);
  await clock.advance(10_000);
  await store.probe();
  await clock.advance(10_000);
  expect(events).toContainEqual(expect.objectContaining({ type: "keys.swept", keyId: 2 }));
  expect(await store.rotateKey()).toEqual({ keyId: 3 });
  await clock.advance(10_000);
  await store.close();
  expect(await find(path, "QUOKKA_user")).toEqual([7]);
  const { ids, keys } = keysInFile(path);
  expect(keys).toEqual([3]);
  expect(ids.length).toBeGreaterThan(450);
  expect(new Set(ids)).toEqual(new Set([3]));
});

test.each([true, false])(
  "a rotation interrupted at any commit is finished by the next start (reached the disk: %s)",
  async (reachedDisk) => {
    for (let atCommit = 1; ; atCommit++) {
      const { clock, events, openStore, path } = setup();
      const filler = await openStore();
      await fill(filler);
      await filler.close();
      const crashing = new SimulatedDisk(crashAsPlanned({ atCommit, reachedDisk }));
      const store = await openStore(keysOf("key"), crashing.open);
      await store.rotateKey().catch(() => {});
      await clock.advance(10_000);
      const { dead } = crashing;
      crashing.kill();
      const next = await openStore();
      await clock.advance(10_000);
      const { recovered, ...rest } = await readAll(next);
      const { recovered: _, ...expected } = everything;
      expect(rest).toEqual(expected);
      expect(recovered).toBe(1);
      await next.close();
      const { ids, keys } = keysInFile(path);
      expect(keys).toHaveLength(1);
      expect(new Set(ids)).toEqual(new Set(keys));
      if (!dead) {
        expect(events.some(({ type }) => type === "keys.swept")).toBe(true);
        expect(atCommit).toBeGreaterThan(5);
        break;
      }
    }
  },
);

/** Turns a filled database into one of the version before sealing. */
async function makePlain(path: string, filler: Store): Promise<void> {
  const said = (n: number) => ({ n, text: `Zebrafinch ${n}` });
  await filler.enqueue([
    { ...update("dead", 1), payload: said(1) },
    ...Array.from({ length: 1_200 }, (_, n) => ({ ...update(`l${n}`, n), payload: { n } })),
  ]);
  const [dead] = await claim(filler, { limit: 1 });
  const outcome = { kind: "dead", reason: "refused", error: undefined, enqueue: [] } as const;
  await filler.finish(ref(dead), outcome);
  await filler.close();
  const database = openNodeSqlite(path);
  database.exec(backToLaneTable);
  database.exec(`
    UPDATE messages SET payload = '{"text":"Zebrafinch ' || id || '"}';
    UPDATE dead_letters SET payload = '{"n":1,"text":"Zebrafinch 1"}';
    INSERT INTO steps VALUES (5, 's', '"Narwhalresult"');
    DROP TABLE data_keys;
    DROP TABLE table_set_migrations;
    DROP TABLE documents;
    DROP INDEX accounts_by_username;
    ALTER TABLE accounts DROP COLUMN profile;
    ALTER TABLE accounts DROP COLUMN username_index;
    ALTER TABLE orders DROP COLUMN note;
    DELETE FROM settings WHERE name = 'storage.plain';
    DELETE FROM migrations WHERE version > 1;
    PRAGMA wal_checkpoint(TRUNCATE);
  `);
  database.close();
}

test("plain text of an older version is sealed and erased, wherever that is interrupted", async () => {
  for (let calls = 20; ; calls += 7) {
    const { contents, openStore, path } = setup();
    await makePlain(path, await openStore());
    expect(contents()).toContain("Zebrafinch");
    let left = calls;
    const dying: OpenDatabase = (file, options) => {
      const database = openNodeSqlite(file, options);
      const live = <T>(work: () => T): T => {
        left--;
        if (left > 0) return work();
        if (left === 0) database.close();
        throw new Error("died");
      };
      const wrap = (statement: ReturnType<typeof database.prepare>) => ({
        run: (...p: Parameters<typeof statement.run>) => live(() => statement.run(...p)),
        insert: (...p: Parameters<typeof statement.run>) => live(() => statement.insert(...p)),
        get: <Row>(...p: Parameters<typeof statement.run>) => live(() => statement.get<Row>(...p)),
        all: <Row>(...p: Parameters<typeof statement.run>) => live(() => statement.all<Row>(...p)),
      });
      return {
        ...database,
        prepare: (sql) => wrap(database.prepare(sql)),
        exec: (sql) => live(() => database.exec(sql)),
        get inTransaction() {
          return database.inTransaction;
        },
        close: () => {
          if (left > 0) database.close();
        },
      };
    };
    // The lock is opened normally, because this test is not about it.
    const first = await openStore(keysOf("key"), (file, options) =>
      file.endsWith("bot.db") && !options?.readOnly
        ? dying(file, options)
        : openNodeSqlite(file, options),
    ).catch(() => undefined);
    if (first) left = Number.POSITIVE_INFINITY;
    await first?.close();
    const store = await openStore();
    const letters = await store.deadLetters({ offset: 0, limit: 10 });
    expect(letters.map(({ payload }) => payload)).toEqual([{ n: 1, text: "Zebrafinch 1" }]);
    const texts = (await claim(store, { limit: 2_000 })).map(({ payload }) => payload["text"]);
    expect(texts).toHaveLength(1_200);
    expect(texts).toContain("Zebrafinch 1000");
    expect(contents()).not.toContain("Zebrafinch");
    expect(contents()).not.toContain("Narwhalresult");
    await store.close();
    if (first) break;
    // Every call is tried in the parts that differ; the calls for rows in between are alike.
    if (calls > 150) calls += 500;
  }
});
