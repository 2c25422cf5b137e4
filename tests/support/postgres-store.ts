/** PostgreSQL store for tests: opens one on a schema that no other test uses meanwhile. */
import { onTestFinished } from "vitest";
import { Secret } from "../../bot/core/secret.ts";
import { shop } from "../../bot/shop/module.ts";
import {
  PostgresStore,
  type PostgresStoreDeps,
} from "../../bot/storage/postgres/postgres-store.ts";
import { pause } from "../../lab/drill/bot-process.ts";
import { keyOf } from "./encryption-keys.ts";
import { byHand, freshSchema, ownServer, postgresUrl } from "./postgres.ts";

type Given = Pick<PostgresStoreDeps, "schema" | "clock"> & Partial<PostgresStoreDeps>;

/** Makes a store that is closed after the test. Lanes hold 5 messages, keys live a minute. */
export async function createPostgresStore(given: Given): Promise<PostgresStore> {
  const store = await newPostgresStore(given);
  onTestFinished(() => store.close());
  return store;
}

/** Like `createPostgresStore`, for the caller to close. */
export async function newPostgresStore(given: Given): Promise<PostgresStore> {
  return new PostgresStore({
    url: new Secret(await postgresUrl()),
    publish: () => {},
    onFatal: (error) => {
      throw error;
    },
    keys: { find: () => keyOf("key"), previous: undefined, create: () => keyOf("key") },
    tableSets: shop.tables ?? [],
    dedupeKeepMs: 60_000,
    laneLengthMax: 5,
    name: "one",
    version: "0",
    // A busy machine is no dead session.
    sessionMs: 60_000,
    ...given,
  });
}

/** Migrated schemas without rows, which the next test can use: migrating takes longer than most tests. */
const emptied: string[] = [];

export function makeSchema(): string {
  const schema = emptied.pop() ?? freshSchema();
  onTestFinished(async () => {
    if (!ownServer) {
      await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      return;
    }
    const [made] = await byHand("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]);
    if (!made) return;
    await untilFree(schema);
    await byHand(emptySql(schema));
    emptied.push(schema);
  });
  return schema;
}

const emptySql = (schema: string) => `DO $$ DECLARE _name text; BEGIN
  SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO _name FROM pg_tables
    WHERE schemaname = '${schema}' AND tablename NOT IN ('migrations', 'table_set_migrations');
  IF _name IS NOT NULL THEN EXECUTE 'TRUNCATE ' || _name || ' RESTART IDENTITY'; END IF;
  FOR _name IN SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences
    WHERE schemaname = '${schema}'
  LOOP EXECUTE 'ALTER SEQUENCE ' || _name || ' RESTART'; END LOOP;
END $$`;

/** Cuts the main session of the store with this number from the server's side. */
export async function cutSession(schema: string, number: number): Promise<void> {
  await byHand(
    `SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE ${lockOf(schema)} AND objid = $1`,
    [number],
  );
  await untilFree(schema, number);
}

/** Waits until PostgreSQL has noticed that the session of this store, or of all, is over. */
export async function untilFree(schema: string, number?: number): Promise<void> {
  for (;;) {
    const [row] = await byHand<{ count: string }>(
      `SELECT count(*) FROM pg_locks WHERE ${lockOf(schema)} AND ($1::bigint IS NULL OR objid = $1)`,
      [number ?? null],
    );
    if (row?.count === "0") return;
    await pause(5);
  }
}

/** The class of a schema's locks is its number, moved by half of all numbers, and shown without a sign. */
function lockOf(schema: string): string {
  return `locktype = 'advisory' AND
    classid::bigint = ('${schema}'::regnamespace::oid::bigint + 2147483648) % 4294967296`;
}
