/** PostgreSQL store for tests: opens one on a schema of its own, which is dropped after the test. */
import { onTestFinished } from "vitest";
import { Secret } from "../../bot/core/secret.ts";
import { shopTables } from "../../bot/shop/sqlite-tables.ts";
import {
  PostgresStore,
  type PostgresStoreDeps,
} from "../../bot/storage/postgres/postgres-store.ts";
import { keyOf } from "./encryption-keys.ts";
import { byHand, freshSchema, postgresUrl } from "./postgres.ts";

/** Makes a store that is closed after the test. Lanes hold 5 messages, keys live a minute. */
export async function createPostgresStore(
  given: Pick<PostgresStoreDeps, "schema" | "clock"> & Partial<PostgresStoreDeps>,
): Promise<PostgresStore> {
  const store = new PostgresStore({
    url: new Secret(await postgresUrl()),
    publish: () => {},
    onFatal: (error) => {
      throw error;
    },
    keys: { find: () => keyOf("key"), previous: undefined, create: () => keyOf("key") },
    tableSets: [shopTables],
    dedupeKeepMs: 60_000,
    laneLengthMax: 5,
    name: "one",
    version: "0",
    // A busy machine is no dead session.
    sessionMs: 60_000,
    ...given,
  });
  onTestFinished(() => store.close());
  return store;
}

export function makeSchema(): string {
  const schema = freshSchema();
  onTestFinished(async () => {
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });
  return schema;
}

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
  }
}

/** The class of a schema's locks is its number, moved by half of all numbers, and shown without a sign. */
function lockOf(schema: string): string {
  return `locktype = 'advisory' AND
    classid::bigint = ('${schema}'::regnamespace::oid::bigint + 2147483648) % 4294967296`;
}
