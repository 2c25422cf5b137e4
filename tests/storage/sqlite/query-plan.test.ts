/**
 * Query plans: a statement that runs for every update must use an index, however long the queue is.
 */
import { expect, test } from "vitest";
import { shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { KeyRing } from "../../../bot/storage/sealing/key-ring.ts";
import { LaneTable } from "../../../bot/storage/sqlite/lane-table.ts";
import { prepareQueueStatements } from "../../../bot/storage/sqlite/queue-statements.ts";
import { migrate } from "../../../bot/storage/sqlite/schema.ts";
import { type Database, openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { migrateTableSets } from "../../../bot/storage/sqlite/table-sets.ts";

/**
 * Statements that may scan: operators, the sweeper and the start use them; `depth` runs 4 times per
 * second.
 */
const rare = [
  /FROM dead_letters/,
  /FROM dedupe$/,
  /FROM sqlite_sequence/,
  /AS count FROM lanes/,
  /AS lanes/,
  /^UPDATE lanes SET available_at = max/,
];

test("no statement on an update's path scans a table", () => {
  const database = openNodeSqlite(":memory:");
  migrate(database, 0);
  migrateTableSets(database, [shopTables], 0);
  const texts: string[] = [];
  const spying: Database = {
    ...database,
    prepare: (sql) => {
      texts.push(sql);
      return database.prepare(sql);
    },
  };
  prepareQueueStatements(spying);
  new LaneTable(spying);
  shopTables.open(spying, new KeyRing());
  expect(texts.length).toBeGreaterThan(40);
  const scans = texts
    .filter((sql) => !rare.some((pattern) => pattern.test(sql)))
    .filter((sql) => {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all<{ detail: string }>();
      return plan.some(({ detail }) => /^SCAN (?!.*USING (COVERING )?INDEX)/.test(detail));
    });
  expect(scans).toEqual([]);
  database.close();
});
