/** Table sets: a module brings its tables, and they stay unchanged without it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { TableSet } from "../../../bot/core/transaction.ts";
import { shopOf, shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { SqliteStore } from "../../../bot/storage/sqlite/sqlite-store.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { backToLaneTable } from "../../support/older-database.ts";

interface Notes {
  write(text: string): Promise<void>;
  read(): Promise<readonly string[]>;
}

const notes: TableSet<Notes> = {
  name: "notes",
  migrations: [{ sql: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text BLOB)" }],
  sealedColumns: [
    { table: "notes", column: "text", key: ["id"], place: ([id]) => `notes|text|${id}` },
  ],
  open: (sql, sealer) => {
    const insert = sql.prepare("INSERT INTO notes (text) VALUES (NULL)");
    const update = sql.prepare("UPDATE notes SET text = ? WHERE id = ?");
    const list = sql.prepare("SELECT id, text FROM notes ORDER BY id");
    return {
      write: async (text) => {
        const id = await insert.insert();
        await update.run(sealer.seal(text, `notes|text|${id}`), id);
      },
      read: async () =>
        (await list.all<{ id: number; text: Uint8Array }>()).map(({ id, text }) =>
          sealer.open(text, `notes|text|${id}`),
        ),
    };
  },
};

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "table-sets-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const openStore = async (...tableSets: readonly TableSet<object>[]) => {
    const store = new SqliteStore({
      directory,
      clock,
      keys: keysOf("key"),
      publish: () => {},
      onFatal: () => {},
      tableSets,
      backupsKept: 1,
      dedupeKeepMs: 60_000,
      laneLengthMax: 1_000,
    });
    await store.open();
    onTestFinished(() => store.close());
    return store;
  };
  const change = (sql: string) => {
    const database = openNodeSqlite(join(directory, "bot.db"));
    database.exec(sql);
    database.close();
  };
  return { change, clock, openStore };
}

test("tables of two modules exist side by side and outlive a start without them", async () => {
  const { openStore } = setup();
  const both = await openStore(shopTables, notes);
  await both.transaction(async (tx) => {
    await tx.tables(notes).write("kept");
    await shopOf(tx).insertAccount({ userId: 7, createdAtEpochMs: 0 });
  });
  await both.close();
  const none = await openStore();
  await none.close();
  const again = await openStore(notes, shopTables);
  expect(await again.transaction((tx) => tx.tables(notes).read())).toEqual(["kept"]);
  expect(await again.transaction((tx) => shopOf(tx).findAccount(7))).toBeDefined();
});

test("tables that the module does not list are refused with their name", async () => {
  const { openStore } = setup();
  const store = await openStore(shopTables);
  const asked = store.transaction(async (tx) => tx.tables(notes));
  await expect(asked).rejects.toThrow('does not list the tables "notes"');
});

test("a database from before sets counted their own migrations keeps its tables", async () => {
  const { change, openStore } = setup();
  const first = await openStore(shopTables);
  await first.transaction((tx) => shopOf(tx).insertAccount({ userId: 7, createdAtEpochMs: 5 }));
  await first.close();
  change(backToLaneTable);
  change("DROP TABLE documents");
  change("DROP TABLE table_set_migrations; DELETE FROM migrations WHERE version >= 3");
  const store = await openStore(shopTables);
  expect(await store.transaction((tx) => shopOf(tx).findAccount(7))).toEqual({
    userId: 7,
    createdAtEpochMs: 5,
  });
});

test("tables that a newer version has written are not touched", async () => {
  const { change, openStore } = setup();
  await (await openStore(notes)).close();
  change("INSERT INTO table_set_migrations VALUES ('notes', 9, 0)");
  await expect(openStore(notes)).rejects.toMatchObject({
    code: "STORAGE_UNAVAILABLE",
    message: expect.stringContaining('version 9 of the tables "notes"'),
  });
});

test("keys are not rotated while a module with sealed tables is not running", async () => {
  const { clock, openStore } = setup();
  const both = await openStore(shopTables, notes);
  await both.transaction((tx) => tx.tables(notes).write("sealed"));
  await both.close();
  const without = await openStore(shopTables);
  await expect(without.rotateKey()).rejects.toMatchObject({
    code: "KEY_ROTATION_REFUSED",
    message: expect.stringContaining("notes"),
  });
  await without.close();
  const again = await openStore(shopTables, notes);
  expect(await again.rotateKey()).toEqual({ keyId: 2 });
  await clock.advance(10_000);
  await again.close();
  const last = await openStore(notes, shopTables);
  expect(await last.transaction((tx) => tx.tables(notes).read())).toEqual(["sealed"]);
});
