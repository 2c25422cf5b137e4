/** Migrations on PostgreSQL only add: which ones are refused, and that ours are none of them. */
import { expect, test } from "vitest";
import { shop } from "../../../bot/shop/module.ts";
import { whyNotAdditive } from "../../../bot/storage/postgres/additive-rules.ts";
import { laterMigrations } from "../../../bot/storage/postgres/schema.ts";
import { toPostgresTypes } from "../../../bot/storage/postgres/sql-dialect.ts";
import { documentTables } from "../../../bot/storage/sqlite/document-table.ts";

test.each([
  "DROP TABLE accounts",
  "ALTER TABLE accounts DROP COLUMN name",
  "drop index accounts_by_name",
  "TRUNCATE accounts",
  "ALTER TABLE accounts RENAME TO people",
  "ALTER TABLE accounts RENAME COLUMN name TO title",
  "ALTER TABLE accounts ALTER COLUMN id TYPE text",
  "ALTER TABLE accounts ALTER id SET DATA TYPE text",
  "ALTER TABLE accounts ALTER COLUMN id SET NOT NULL",
  "ALTER TABLE accounts ADD COLUMN age int NOT NULL",
  "ALTER TABLE accounts ADD COLUMN a int DEFAULT 1, ADD COLUMN age int NOT NULL",
  "ALTER TABLE accounts ADD CONSTRAINT old CHECK (age > 1)",
  "ALTER TABLE accounts ADD UNIQUE (name)",
  "CREATE UNIQUE INDEX by_name ON accounts (name)",
  "CREATE OR REPLACE FUNCTION turn_1() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
])("%s is refused", (sql) => {
  expect(whyNotAdditive(sql)).toMatch(/version before/);
});

test.each([
  "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL UNIQUE, CHECK (id > 0))",
  "CREATE TABLE t (id int); CREATE UNIQUE INDEX t_by_id ON t (id)",
  "ALTER TABLE accounts ADD COLUMN age int, ADD COLUMN tall boolean NOT NULL DEFAULT false",
  "CREATE INDEX by_name ON accounts (name)",
  "CREATE FUNCTION turn_9() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE x; END $$",
  "-- DROP TABLE accounts\nCREATE TABLE t (word text DEFAULT 'DROP')",
])("%s is made beside the version before", (sql) => {
  expect(whyNotAdditive(sql)).toBe(undefined);
});

const later = [
  ...laterMigrations.map((sql, index) => ["schema", index + 2, sql] as const),
  ...[documentTables, ...(shop.tables ?? [])].flatMap(({ migrations, name }) =>
    migrations
      .map(
        ({ postgres, sql }, index) => [name, index + 1, postgres ?? toPostgresTypes(sql)] as const,
      )
      .slice(1),
  ),
];

test.each(later)("%s, migration %i only adds", (_, _version, sql) => {
  expect(whyNotAdditive(sql)).toBe(undefined);
});
