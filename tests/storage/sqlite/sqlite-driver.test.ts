/** SQLite driver: tests when a sync reaches the disk, and when there is nothing to sync. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "sqlite-driver-"));
  let syncs = 0;
  const database = openNodeSqlite(join(directory, "bot.db"), {
    syncFile: async () => {
      syncs++;
    },
  });
  onTestFinished(() => {
    database.close();
    rmSync(directory, { recursive: true });
  });
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("CREATE TABLE t (n)");
  const syncsOf = async (...statements: readonly string[]) => {
    const before = syncs;
    for (const sql of statements) database.prepare(sql).run();
    await database.sync();
    return syncs - before;
  };
  return { syncsOf };
}

const insert = "INSERT INTO t VALUES (1)";

test("what was committed is synced once, and a commit without changes is not", async () => {
  const { syncsOf } = setup();
  expect(await syncsOf(insert)).toBe(1);
  expect(await syncsOf()).toBe(0);
  expect(await syncsOf("BEGIN", "COMMIT")).toBe(0);
});

test("what a transaction changes before a sync and commits after it is synced again", async () => {
  const { syncsOf } = setup();
  await syncsOf(insert);
  await syncsOf("BEGIN", insert);
  expect(await syncsOf("COMMIT")).toBe(1);
  expect(await syncsOf()).toBe(0);
});
