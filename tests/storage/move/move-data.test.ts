/** Moving a bot's data between SQLite and PostgreSQL: all of them or nothing, and back. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { Secret } from "../../../bot/core/secret.ts";
import type { Store } from "../../../bot/core/store.ts";
import { shop } from "../../../bot/shop/module.ts";
import { shopOf, shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { SealedFiles } from "../../../bot/storage/files/sealed-files.ts";
import type { End, Receiver } from "../../../bot/storage/move/content.ts";
import { Connection } from "../../../bot/storage/postgres/connection.ts";
import { writeBackup } from "../../../bot/storage/sqlite/backup.ts";
import { readTables } from "../../../bot/storage/sqlite/table-reader.ts";
import { refuseUnmoved } from "../../../bot/storage/sqlite/unmoved-file.ts";
import { seededRandom } from "../../../lab/simulation/seeded-random.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { addByNewer } from "../../support/newer-schema.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../../support/postgres.ts";
import { createPostgresStore } from "../../support/postgres-store.ts";
import { claim, ref, update } from "../store-conformance.ts";
import { dumpFile, fill, history, Places } from "./move-setup.ts";

/** A file whose process was killed with something in hand. */
async function filledFile(): Promise<Places> {
  const places = new Places();
  const { kill, store } = await places.sqliteStore();
  await fill(store, places.clock);
  kill();
  return places;
}

async function isThere(places: Places): Promise<boolean> {
  const [schema] = await byHand("SELECT 1 FROM pg_namespace WHERE nspname = $1", [places.schema]);
  return schema !== undefined;
}

/** Lets something happen to the move while it fills its target. */
const whileFilling =
  (happens: (receiver: Receiver) => Receiver, afterwards: () => void = () => {}) =>
  ({ to }: { readonly to: End }): void => {
    const receive = to.receive.bind(to);
    to.receive = (arrival, work) =>
      receive(arrival, async (receiver) => {
        const result = await work(happens(receiver));
        afterwards();
        return result;
      });
  };

const dies = () => {
  throw new Error("killed");
};

describe.skipIf(noPostgres)(`moving the data${orSkipped}`, () => {
  test("there and back gives the same file, row by row", async () => {
    const places = await filledFile();
    const before = dumpFile(places.path);
    const there = await places.move("postgres");
    expect(there).toMatchObject({
      kind: "moved",
      kept: undefined,
      figures: expect.arrayContaining([
        { name: "messages", from: 13, to: 13 },
        { name: "documents", from: 2, to: 2 },
        { name: "ledger.amount_minor", from: expect.any(Number), to: expect.any(Number) },
        { name: "star_charges.credited_minor", from: 500, to: 500 },
      ]),
    });
    const back = await places.move("sqlite");
    expect(back).toMatchObject({ kind: "moved", kept: expect.stringContaining("bot-replaced-") });
    expect(dumpFile(places.path)).toEqual(before);
    const again = await places.move("postgres");
    expect(again).toMatchObject({ kind: "moved", kept: expect.stringContaining("_replaced_") });
  });

  test("a file that waits to be sent goes there and back with its call", async () => {
    const places = new Places();
    const content = Buffer.alloc(700_000, "a picture ");
    const filesOf = (store: Store, directory: string) =>
      new SealedFiles({
        ...{ clock: places.clock, directory, publish: () => {}, store },
        ...{ totalBytesMax: 10_000_000, attemptMs: 60_000 },
      });
    const { kill, store } = await places.sqliteStore();
    const signal = new AbortController().signal;
    const file = await filesOf(store, places.directory).put(content, {
      bytesMax: 1_000_000,
      signal,
    });
    const gone = "f".repeat(64);
    await store.enqueue([{ ...update("a", 1), files: [file.name, gone] }]);
    kill();
    const readIn = async (reader: Store, directory: string) => {
      const parts: Uint8Array[] = [];
      for await (const part of await filesOf(reader, directory).open(file)) parts.push(part);
      return Buffer.concat(parts).equals(content);
    };
    const files = { kind: "moved", filesMissing: 1 };
    const figure = (from: number) =>
      expect.arrayContaining([{ name: "files", from, to: 1 }]) as unknown;

    expect(await places.move("postgres")).toMatchObject({ ...files, figures: figure(1) });
    const elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    const there = await places.postgresStore();
    expect(await readIn(there, elsewhere)).toBe(true);
    await places.killed(there);

    rmSync(join(places.directory, "files"), { recursive: true });
    expect(await places.move("sqlite")).toMatchObject({ ...files, figures: figure(1) });
    const back = await places.sqliteStore();
    expect(await readIn(back.store, places.directory)).toBe(true);
    expect(await back.store.filesInUse()).toContain(file.name);
    back.kill();
  });

  test("a file that only this disk has stays here when its call comes back", async () => {
    const places = new Places();
    const name = "a".repeat(64);
    const store = await places.postgresStore();
    await store.enqueue([{ ...update("a", 1), files: [name] }]);
    await places.killed(store);
    mkdirSync(join(places.directory, "files"));
    writeFileSync(join(places.directory, "files", name), "sealed");
    expect(await places.move("sqlite")).toMatchObject({
      filesMissing: 0,
      figures: expect.arrayContaining([{ name: "files", from: 0, to: 1 }]) as unknown,
    });
    expect(readFileSync(join(places.directory, "files", name), "utf8")).toBe("sealed");
    expect(readdirSync(join(places.directory, "files"))).toEqual([name]);
  });

  test("a file that is not the same on both sides is not moved", async () => {
    const places = new Places();
    const name = "a".repeat(64);
    const { kill, store } = await places.sqliteStore();
    await store.enqueue([{ ...update("a", 1), files: [name] }]);
    kill();
    mkdirSync(join(places.directory, "files"));
    writeFileSync(join(places.directory, "files", name), "sealed");
    const loseIt = (receiver: Receiver): Receiver => {
      receiver.addFile = async (_, content) => {
        for await (const _part of content);
      };
      return receiver;
    };
    await expect(places.move("postgres", whileFilling(loseIt))).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringContaining(name),
    });
    expect(await isThere(places)).toBe(false);
  });

  test("the bot goes on there as it would have gone on here", async () => {
    const places = await filledFile();
    const here = new Places();
    copyFileSync(places.path, here.path);
    const { store } = await here.sqliteStore();
    const expected = await history(store, here.clock);
    await places.move("postgres");
    expect(await history(await places.postgresStore(), places.clock)).toEqual(expected);
  });

  test("a version that knows less goes on where a newer one has added tables and columns", async () => {
    const [older, newer] = [new Places(), new Places()];
    const histories: unknown[] = [];
    for (const places of [older, newer]) {
      const store = await places.postgresStore();
      if (places === newer) await addByNewer(places.schema);
      await fill(store, places.clock);
      await places.killed(store);
      histories.push(await history(await places.postgresStore(), places.clock));
    }
    expect(histories[1]).toEqual(histories[0]);
  });

  test("a step that would take away what the version before uses is refused", async () => {
    const places = new Places();
    await places.killed(await places.postgresStore());
    const [first, ...rest] = places.tableSets;
    const { migrations } = first as NonNullable<typeof first>;
    const taking = [...migrations, { sql: "ALTER TABLE accounts DROP COLUMN profile" }];
    const tableSets = [{ ...first, migrations: taking } as NonNullable<typeof first>, ...rest];
    const { clock, schema } = places;
    const store = await createPostgresStore({ clock, name: "one", schema, tableSets });
    await expect(store.open()).rejects.toMatchObject({
      code: "MIGRATION_REFUSED",
      exitCode: 78,
      message: expect.stringContaining(`migration ${taking.length} of the tables`),
    });
  });

  test("what was written there comes back in its lanes' order, whatever its ids", async () => {
    const places = new Places();
    const [one, two] = [await places.postgresStore("one"), await places.postgresStore("two")];
    await fill(one, places.clock);
    const random = seededRandom(7);
    // Each process takes its ids from a block of its own.
    for (let n = 100; n < 160; n++) {
      const store = random() < 0.5 ? one : two;
      const lane = `lane ${Math.floor(random() * 4)}`;
      await store.enqueue([update(lane, n, random() < 0.2 ? "high" : "normal")]);
      if (random() < 0.3) await places.clock.advance(1);
    }
    await one.kill();
    await places.killed(two);
    const expected = await byHand<{ id: string; lane: string }>(
      `SELECT id, lane FROM ${places.schema}.messages WHERE lane LIKE 'lane %' ORDER BY lane, pos`,
    );
    expect(
      expected.some(({ id, lane }, index) => {
        const before = expected[index - 1];
        return before?.lane === lane && Number(before.id) > Number(id);
      }),
    ).toBe(true);
    await places.move("sqlite");
    const { store } = await places.sqliteStore();
    await store.recover(() => ({ outcome: { kind: "released" } }));
    const lanes = new Map<string, string[]>();
    for (;;) {
      const claimed = await claim(store, { suspects: "with", limit: 100 });
      if (claimed.length === 0) break;
      for (const message of claimed) {
        lanes.set(message.lane, [...(lanes.get(message.lane) ?? []), String(message.id)]);
        await store.finish(ref(message), { kind: "done", enqueue: [] });
      }
    }
    const names = [...lanes.keys()].filter((name) => name.startsWith("lane ")).sort();
    expect(names.flatMap((name) => lanes.get(name))).toEqual(expected.map(({ id }) => id));
  });

  test.each(["postgres", "sqlite"] as const)(
    "no id is given twice after a move to %s",
    async (to) => {
      const places = new Places();
      const { kill, store } = await places.sqliteStore();
      await fill(store, places.clock);
      const last = await newIds(store);
      kill();
      await places.move("postgres");
      if (to === "sqlite") await places.move("sqlite");
      const next =
        to === "sqlite" ? (await places.sqliteStore()).store : await places.postgresStore();
      const first = await newIds(next);
      expect(first.message).toBeGreaterThan(last.message);
      expect(first.entry).toBeGreaterThan(last.entry);
    },
  );

  test("whoever starts on what was left is refused, and told where the data are", async () => {
    const places = await filledFile();
    await places.move("postgres");
    const refusal = await places.sqliteStore().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "STORAGE_MOVED", exitCode: 78 });
    expect(String(refusal)).toContain(places.schema);
    const before = readFileSync(places.path);
    const { clock, directory, keys, path } = places;
    for (const program of [
      () => places.move("postgres"),
      () => writeBackup({ directory, kept: 1, nowEpochMs: clock.epochMs() }),
      () => readTables(path, keys, shopTables, (tables) => tables.findByUsername("name1")),
    ]) {
      await expect(program()).rejects.toMatchObject({ code: "STORAGE_MOVED" });
    }
    expect(readFileSync(path)).toEqual(before);
    await places.move("sqlite");
    await expect(places.postgresStore()).rejects.toMatchObject({
      code: "STORAGE_MOVED",
      message: expect.stringContaining(places.path),
    });
  });

  test("a first start on PostgreSQL is refused while the file has data that never went there", async () => {
    const places = await filledFile();
    const { clock, path, schema } = places;
    const start = async (name = "one") => {
      const beforeFirst = () => refuseUnmoved(path);
      const store = await createPostgresStore({ beforeFirst, clock, name, schema });
      await store.open();
      return store;
    };
    await expect(start()).rejects.toMatchObject({
      code: "STORAGE_UNMOVED",
      exitCode: 78,
      hint: expect.stringMatching(/npm run move -- --to postgres.*mv '/),
    });
    expect(await isThere(places)).toBe(false);
    await expect(
      places.move(
        "postgres",
        whileFilling((r) => r, dies),
      ),
    ).rejects.toThrow("killed");
    await expect(start()).rejects.toMatchObject({
      code: "STORAGE_MOVED",
      message: expect.stringContaining("cut off"),
    });
    await places.move("postgres");
    await places.killed(await start());
    // Once it has worked there, a file that somebody brings does not stop the bot.
    const other = await filledFile();
    copyFileSync(other.path, path);
    await places.killed(await start());
    await expect(start("another machine")).rejects.toMatchObject({ code: "STORAGE_UNMOVED" });
  });

  test("a process that only comes back after its session was lost is refused, too", async () => {
    const places = await filledFile();
    await places.move("postgres");
    await places.move("sqlite");
    const { schema } = places;
    const connection = await Connection.open({
      ...{ url: new Secret(await postgresUrl()), schema, settings: {} },
    });
    await expect(
      connection.all("SELECT enter_1(1, 'one', 'here', 1, '0', 0) AS number"),
    ).rejects.toMatchObject({ code: "STORAGE_MOVED", exitCode: 78 });
    await connection.end();
  });

  test("while a bot works on the data they stay where they are", async () => {
    const places = await filledFile();
    const { kill } = await places.sqliteStore();
    await expect(places.move("postgres")).rejects.toMatchObject({ code: "STORAGE_IN_USE" });
    expect(await isThere(places)).toBe(false);
    kill();
    await places.move("postgres");
    const store = await places.postgresStore();
    await expect(places.move("sqlite")).rejects.toMatchObject({
      code: "STORAGE_IN_USE",
      hint: expect.stringContaining("Stop the bot"),
    });
    await store.enqueue([update("a", 1)]);
    await places.killed(store);
    expect(await places.move("sqlite")).toMatchObject({ kind: "moved" });
  });

  test("a target that holds data is left alone", async () => {
    const places = await filledFile();
    await (await places.postgresStore()).close();
    await expect(places.move("postgres")).rejects.toMatchObject({
      code: "MOVE_REFUSED",
      hint: expect.stringContaining(`DROP SCHEMA ${places.schema}`),
    });
    await expect(places.move("sqlite")).rejects.toMatchObject({
      code: "MOVE_REFUSED",
      hint: expect.stringContaining(places.path),
    });
    expect(await byHand(`SELECT 1 FROM ${places.schema}.accounts`)).toEqual([]);
    const { store } = await places.sqliteStore();
    expect(await store.countDeadLetters({})).toBe(1);
  });

  test("with the wrong key nothing is moved", async () => {
    const places = await filledFile();
    places.keys = keysOf("another");
    await expect(places.move("postgres")).rejects.toMatchObject({
      code: "CONFIGURATION_ENCRYPTION_KEY",
    });
    places.keys = keysOf("key");
    await places.move("postgres");
    places.keys = keysOf("another");
    await expect(places.move("sqlite")).rejects.toMatchObject({
      code: "CONFIGURATION_ENCRYPTION_KEY",
    });
  });

  test("a damaged file and a broken seal are noticed before anything is moved", async () => {
    const places = await filledFile();
    const database = new DatabaseSync(places.path);
    const [letter] = database.prepare("SELECT id, payload FROM dead_letters").all();
    const broken = Buffer.from(letter?.["payload"] as Uint8Array);
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1);
    database.prepare("UPDATE dead_letters SET payload = ?").run(broken);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    const refusal = { code: "STORAGE_CORRUPT", exitCode: 74 };
    await expect(places.move("postgres")).rejects.toMatchObject({
      ...refusal,
      message: expect.stringContaining("messages|payload"),
    });
    const bytes = readFileSync(places.path);
    bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 8_192);
    writeFileSync(places.path, bytes);
    await expect(places.move("postgres")).rejects.toMatchObject(refusal);
    expect(await isThere(places)).toBe(false);
  });

  test("a table or a column that the bot does not know is refused by its name", async () => {
    const places = await filledFile();
    const change = (sql: string) => {
      const database = new DatabaseSync(places.path);
      database.exec(sql);
      database.close();
    };
    const refused = (name: string) => ({
      ...{ code: "MOVE_REFUSED", exitCode: 78 },
      message: expect.stringContaining(name),
    });
    change("CREATE TABLE strangers (id INTEGER PRIMARY KEY)");
    await expect(places.move("postgres")).rejects.toMatchObject(refused("strangers"));
    change("DROP TABLE strangers; ALTER TABLE accounts ADD COLUMN colour TEXT");
    await expect(places.move("postgres")).rejects.toMatchObject(refused("colour"));
    change("ALTER TABLE accounts DROP COLUMN colour; ALTER TABLE messages ADD COLUMN mood TEXT");
    await expect(places.move("postgres")).rejects.toMatchObject(refused("mood"));
    change("ALTER TABLE messages DROP COLUMN mood");
    places.tableSets = (shop.tables ?? []).slice(0, 2);
    await expect(places.move("postgres")).rejects.toMatchObject(refused("acts"));
    places.tableSets = shop.tables ?? [];
    await places.move("postgres");
    await byHand(`CREATE TABLE ${places.schema}.newer (at timestamptz)`);
    await expect(places.move("sqlite")).rejects.toMatchObject(refused("newer"));
    await byHand(`ALTER TABLE ${places.schema}.newer ALTER at TYPE text`);
    await expect(places.move("sqlite")).rejects.toMatchObject(refused("newer"));
  });

  test("a value that the other engine cannot hold is refused, by its table and not by itself", async () => {
    const places = await filledFile();
    const setFact = async (name: string, value: string) => {
      const { store } = await places.sqliteStore();
      await store.setFact(name, value);
      await store.close();
    };
    await setFact("odd", "a private\0word");
    const refusal = await places.move("postgres").catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "MOVE_REFUSED" });
    expect(String(refusal)).toContain("settings");
    expect(String(refusal)).not.toContain("private");
    await setFact("odd", "a word");
    const database = new DatabaseSync(places.path);
    database.exec("UPDATE sent SET at = 9007199254740992 WHERE scope = '7'");
    database.close();
    await expect(places.move("postgres")).rejects.toThrow();
    expect(await isThere(places)).toBe(false);
  });

  test("a copy that is not the same is no copy", async () => {
    const places = await filledFile();
    for (const change of ["a row", "a value"]) {
      const moved = places.move(
        "postgres",
        whileFilling((receiver) => {
          const add = receiver.add.bind(receiver);
          receiver.add = (table, rows) => {
            if (table.name !== "ledger") return add(table, rows);
            const [first, ...rest] = rows;
            return add(table, change === "a row" ? rest : [{ ...first, user_id: 2 }, ...rest]);
          };
          return receiver;
        }),
      );
      await expect(moved).rejects.toMatchObject({
        code: "STORAGE_FAILED",
        message: expect.stringContaining("ledger"),
      });
    }
    expect(await isThere(places)).toBe(false);
    await places.sqliteStore();
  });

  test("killed while it copies, nothing has happened, and it can be done again", async () => {
    const places = await filledFile();
    const before = dumpFile(places.path);
    const inTheMiddle = whileFilling((receiver) => ({ ...bound(receiver), finish: dies }));
    await expect(places.move("postgres", inTheMiddle)).rejects.toThrow("killed");
    expect(await isThere(places)).toBe(false);
    expect(dumpFile(places.path)).toEqual(before);
    await (await places.sqliteStore()).store.close();
    await places.move("postgres");
    await expect(places.move("sqlite", inTheMiddle)).rejects.toThrow("killed");
    await places.killed(await places.postgresStore());
    expect(await places.move("sqlite")).toMatchObject({ kind: "moved" });
  });

  test.each(["postgres", "sqlite"] as const)(
    "killed between the mark and the commit, a move to %s can be made again or taken back",
    async (to) => {
      const places = await filledFile();
      if (to === "sqlite") await places.move("postgres");
      const start = async () => {
        if (to === "postgres") (await places.sqliteStore()).kill();
        else await places.killed(await places.postgresStore());
      };
      const cutOff = whileFilling((receiver) => receiver, dies);
      await expect(places.move(to, cutOff)).rejects.toThrow("killed");
      await expect(start()).rejects.toMatchObject({
        code: "STORAGE_MOVED",
        message: expect.stringContaining("cut off"),
      });
      const back = to === "postgres" ? "sqlite" : "postgres";
      expect(await places.move(back)).toEqual({ kind: "released" });
      await start();
      await expect(places.move(to, cutOff)).rejects.toThrow("killed");
      expect(await places.move(to)).toMatchObject({ kind: "moved" });
      await expect(start()).rejects.toMatchObject({ code: "STORAGE_MOVED" });
    },
  );

  test("killed after the commit, the same move only says so", async () => {
    const places = await filledFile();
    const lastWord = ({ from }: { readonly from: End }) => {
      const setMark = from.setMark.bind(from);
      from.setMark = async (mark) => (mark?.complete ? dies() : setMark(mark));
    };
    await expect(places.move("postgres", lastWord)).rejects.toThrow("killed");
    expect(await places.move("postgres")).toEqual({ kind: "finished" });
    await expect(places.sqliteStore()).rejects.toThrow("were moved");
    await expect(places.move("sqlite", lastWord)).rejects.toThrow("killed");
    expect(await places.move("sqlite")).toEqual({ kind: "finished" });
    await places.sqliteStore();
  });
});

function bound(receiver: Receiver): Receiver {
  return {
    tables: receiver.tables,
    rows: receiver.rows.bind(receiver),
    lastIds: receiver.lastIds.bind(receiver),
    add: receiver.add.bind(receiver),
    addFile: receiver.addFile.bind(receiver),
    file: receiver.file.bind(receiver),
    finish: receiver.finish.bind(receiver),
  };
}

/** The ids that the next message and the next ledger entry get. The message is gone afterwards. */
async function newIds(store: Store) {
  const [queued] = await store.enqueue([{ ...update("ids", 1), payload: {} }]);
  const [message] = await claim(store, {
    admit: ({ lane }) => (lane === "ids" ? "take" : { notBeforeEpochMs: 0 }),
  });
  await store.finish(ref(message), { kind: "expired" });
  const entry = { userId: 1, amountMinor: 1, kind: "topup", createdAtEpochMs: 0 } as const;
  const entries = await store.transaction(async (tx) => {
    const reference = `entry ${(await shopOf(tx).ledgerEntries(1, 1))[0]?.id}`;
    await shopOf(tx).appendLedgerEntry({ ...entry, reference });
    return shopOf(tx).ledgerEntries(1, 1);
  });
  const message_ = queued?.kind === "queued" ? queued.messageId : Number.NaN;
  return { message: message_, entry: Number(entries[0]?.id) };
}
