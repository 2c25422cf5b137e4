/** PostgreSQL store: the conformance suite, and what only several processes on one database can do. */
import { onTestFinished } from "vitest";
import { Secret } from "../../../bot/core/secret.ts";
import { shopTables } from "../../../bot/shop/sqlite-tables.ts";
import {
  PostgresStore,
  type PostgresStoreDeps,
} from "../../../bot/storage/postgres/postgres-store.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { byHand, freshSchema, noPostgres, postgresUrl } from "../../support/postgres.ts";
import { describeStore } from "../store-conformance.ts";

async function createStore(schema: string, given: Partial<PostgresStoreDeps> = {}) {
  const url = await postgresUrl();
  const fatal: string[] = [];
  const store = new PostgresStore({
    url: new Secret(url),
    schema,
    clock: new ManualClock(),
    publish: () => {},
    onFatal: ({ code }) => fatal.push(code),
    keys: { ...keysOf("the key"), create: () => keysOf("the key").find() as Secret },
    tableSets: [shopTables],
    dedupeKeepMs: 60_000,
    laneLengthMax: 5,
    name: "one",
    version: "0",
    sessionMs: 60_000,
    ...given,
  });
  onTestFinished(() => store.close());
  return { fatal, store };
}

function makeSchema(): string {
  const schema = freshSchema();
  onTestFinished(async () => {
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });
  return schema;
}

/** Waits until PostgreSQL has noticed that these stores' sessions are over. */
async function untilFree(schema: string): Promise<void> {
  for (;;) {
    const [row] = await byHand<{ n: string }>(
      `SELECT count(*) AS n FROM pg_locks
       WHERE locktype = 'advisory' AND classid::bigint::bit(32) = ('${schema}'::regnamespace::oid::bigint + 2147483648)::bit(32)`,
    );
    if (row?.n === "0") return;
  }
}

describeStore(
  "PostgreSQL",
  async () => {
    const schema = makeSchema();
    const clock = new ManualClock();
    const { store } = await createStore(schema, { clock });
    await store.open();
    const reopenAfterKill = async () => {
      await store.kill();
      await untilFree(schema);
      const next = (await createStore(schema, { clock })).store;
      await next.open();
      return next;
    };
    return { store, clock, reopenAfterKill };
  },
  { backups: false, skip: noPostgres },
);
