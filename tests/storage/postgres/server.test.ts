/** What a process asks its PostgreSQL server now and then: who holds a snapshot, and whether a standby is lost. */
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { Secret } from "../../../bot/core/secret.ts";
import { Connection } from "../../../bot/storage/postgres/connection.ts";
import { server } from "../../../bot/storage/postgres/reading.ts";
import {
  byHand,
  freshSchema,
  noPostgres,
  orSkipped,
  ownServer,
  postgresUrl,
} from "../../support/postgres.ts";

async function connect(): Promise<Connection> {
  const url = new Secret(await postgresUrl());
  const connection = await Connection.open({ url, schema: freshSchema(), settings: {} });
  onTestFinished(() => connection.end());
  return connection;
}

describe.skipIf(noPostgres)(`the server of PostgreSQL${orSkipped}`, () => {
  test("tells how long a session has held a snapshot", async () => {
    const holder = new pg.Client({ connectionString: await postgresUrl() });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    // Ages are whole seconds.
    await holder.query("SELECT pg_sleep(0.6)");
    const connection = await connect();
    expect((await server(connection)).oldestSeconds).toBeGreaterThanOrEqual(1);
  });

  test.skipIf(!ownServer)("tells that the standby it waits for is not connected", async () => {
    const connection = await connect();
    await connection.exec("SET synchronous_commit = on");
    expect(await server(connection)).toMatchObject({
      ...{ synchronous: false, standbyLost: false, standbys: 0 },
    });
    onTestFinished(async () => {
      await byHand("ALTER SYSTEM RESET synchronous_standby_names");
      await byHand("SELECT pg_reload_conf()");
    });
    await byHand("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await byHand("SELECT pg_reload_conf()");
    await expect
      .poll(() => server(connection))
      .toMatchObject({ synchronous: true, standbyLost: true });
  });
});
