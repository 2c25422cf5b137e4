/**
 * Query plans: a statement that runs for every update must use an index, however long the queue is.
 */
import { expect, test } from "vitest";
import { shop } from "../../../bot/shop/module.ts";
import { KeyRing } from "../../../bot/storage/sealing/key-ring.ts";
import { documentTables } from "../../../bot/storage/sqlite/document-table.ts";
import { QueueTables } from "../../../bot/storage/sqlite/queue-tables.ts";
import { migrate } from "../../../bot/storage/sqlite/schema.ts";
import { type Database, openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { migrateTableSets } from "../../../bot/storage/sqlite/table-sets.ts";

/** Statements that may scan: operators, the sweeper and the start use them. */
const rare = [
  /FROM dead_letters/,
  /FROM dedupe$/,
  /FROM sqlite_sequence/,
  /^SELECT ids FROM in_hand$/,
  /FROM parks/,
  /FROM message_files/,
  // Administrators look at the latest ones.
  /FROM campaigns ORDER BY id DESC LIMIT/,
];

test("no statement on an update's path scans a table", () => {
  const database = openNodeSqlite(":memory:");
  migrate(database, 0);
  const sets = [documentTables, ...(shop.tables ?? [])];
  migrateTableSets(database, sets, 0);
  const texts: string[] = [];
  const spying: Database = {
    ...database,
    prepare: (sql) => {
      texts.push(sql);
      return database.prepare(sql);
    },
  };
  new QueueTables(spying, new KeyRing(), { dedupeKeepMs: 1, laneLengthMax: 1 }, 0);
  for (const set of sets) set.open(spying, new KeyRing());
  expect(texts.length).toBeGreaterThan(40);
  const scans = texts
    .filter((sql) => !rare.some((pattern) => pattern.test(sql)))
    .filter((sql) => {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all<{ detail: string }>();
      // A list of given values is no table.
      const tables = plan.filter(({ detail }) => !/^SCAN (json_each|\d+-ROW VALUES)/.test(detail));
      return tables.some(({ detail }) => /^SCAN (?!.*USING (COVERING )?INDEX)/.test(detail));
    });
  expect(scans).toEqual([]);
  database.close();
});
