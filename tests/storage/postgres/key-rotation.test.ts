/** Key rotation beside living, sleeping and dying processes: no value is ever without its key. */
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../bot/core/clock.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Secret } from "../../../bot/core/secret.ts";
import type { Transaction } from "../../../bot/core/transaction.ts";
import { shop } from "../../../bot/shop/module.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";
import { lockCodes, stockOf } from "../../../bot/shop/stock/stock-tables.ts";
import { Connection } from "../../../bot/storage/postgres/connection.ts";
import { addDataKey, DataKeys } from "../../../bot/storage/postgres/data-keys.ts";
import { KeyRotation, type RotationState } from "../../../bot/storage/postgres/key-rotation.ts";
import type { PostgresStore } from "../../../bot/storage/postgres/postgres-store.ts";
import { lockClass } from "../../../bot/storage/postgres/session-locks.ts";
import { documentTables } from "../../../bot/storage/sqlite/document-table.ts";
import { sealedColumnsOf } from "../../../bot/storage/sqlite/table-sets.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../../support/postgres.ts";
import { createPostgresStore, cutSession, makeSchema } from "../../support/postgres-store.ts";
import { claim, ref, update } from "../store-conformance.ts";

const tableSets = [documentTables, ...(shop.tables ?? [])];
const columns = sealedColumnsOf(tableSets);
const dead = { kind: "dead", reason: "refused", error: undefined, enqueue: [] } as const;
const none = () => [];
const goOn = async () => true;

function setup() {
  const schema = makeSchema();
  const events: BotEvent[] = [];
  const publish = (event: BotEvent) => void events.push(event);
  const open = async (name: string, keys = keysOf("key"), roles = true) => {
    const create = { ...keys, create: () => keys.find() as Secret };
    const store = await createPostgresStore({
      ...{ schema, name, publish, keys: create, clock: systemClock, laneLengthMax: 1_000 },
    });
    await store.open();
    if (roles) store.roles.start({ gaining: async () => {}, changed: () => {} });
    return store;
  };
  const connect = async () => {
    const connection = await Connection.open({
      ...{ url: new Secret(await postgresUrl()), schema, settings: { lock_timeout: 5_000 } },
    });
    onTestFinished(() => connection.end());
    return connection;
  };
  /** What `npm run rotate-key` works with. */
  const rotationOn = (connection: Connection) => {
    const keys = keysOf("key");
    const dataKeys = new DataKeys(keys);
    const now = () => systemClock.epochMs();
    const rotation = new KeyRotation({
      ...{ dataKeys, keys, now, publish, tableSets },
      use: (work) => work(connection),
    });
    return { dataKeys, rotation };
  };
  /** A process that has worked, and whose session is over, which it has not noticed. */
  const lostProcess = async () => {
    const one = await open("one");
    await fill(one, 1);
    await one.close();
    const connection = await connect();
    const { dataKeys: known } = rotationOn(connection);
    await known.load(connection);
    return { ghost: connection, known };
  };
  /** A process that lives, and hears nothing. */
  const sleeper = async (known: number | null) => {
    const connection = await connect();
    const [row] = await connection.all<{ number: number }>(
      `SELECT enter_2(${lockClass}, 'sleeper', 'far', 1, '0', 0, $1) AS number`,
      [known],
    );
    return { connection, number: row?.number as number };
  };
  return { connect, events, lostProcess, open, rotationOn, schema, sleeper };
}

/** The ids of the keys that have sealed something, and of those that are kept. */
async function keysIn(schema: string) {
  const selects = columns.map(
    ({ column, table }) =>
      `SELECT encode(substring(${column} FROM 2 FOR 4), 'hex') AS used FROM ${schema}.${table}
       WHERE ${column} IS NOT NULL`,
  );
  const [row] = await byHand<{ used: string[]; kept: number[] }>(
    `SELECT ARRAY(${selects.join(" UNION ")} ORDER BY 1) AS used,
       ARRAY(SELECT id FROM ${schema}.data_keys ORDER BY 1) AS kept`,
  );
  const { kept, used } = row as NonNullable<typeof row>;
  return { used: used.map((id) => Number.parseInt(id, 16)), kept };
}

const only = (id: number) => ({ used: [id], kept: [id] });
const untilOnly = (schema: string, id: number) =>
  expect.poll(() => keysIn(schema), { timeout: 20_000, interval: 100 }).toEqual(only(id));

async function writeTables(tx: Transaction, n: number): Promise<void> {
  await shopOf(tx).insertAccount({ userId: n, createdAtEpochMs: 0 });
  await shopOf(tx).setProfile(n, { firstName: `Name ${n}`, username: `user_${n}` });
  const wish = { userId: n, sku: "tea", priceMinor: 1, idempotencyKey: `${n}` };
  const { id } = await shopOf(tx).insertOrder({ ...wish, createdAtEpochMs: 0 });
  await shopOf(tx).setOrderNote(id, `Note ${n}`);
  await lockCodes(tx);
  await stockOf(tx).addCode("tea", `Code ${n}`, 0);
  await tx.documents.put("notes", `${n}`, { said: `Document ${n}` });
}

async function finish(rotation: KeyRotation): Promise<void> {
  let state: RotationState;
  do state = await rotation.advance(goOn);
  while (state.kind !== "none");
}

/** Stores one of everything that is sealed, under the number `n`. */
async function fill(store: PostgresStore, n: number): Promise<void> {
  await store.enqueue([update(`dead ${n}`, n), update(`waits ${n}`, n)]);
  const claimed = await claim(store, { limit: 100 });
  for (const message of claimed) {
    if (message.lane.startsWith("dead")) await store.finish(ref(message), dead);
    else {
      await store.step(ref(message), "s", async () => `Result ${message.payload["n"]}`, none);
      await store.finish(ref(message), { kind: "released" });
    }
  }
  await store.transaction((tx) => writeTables(tx, n));
}

/** Reads back what was stored under these numbers. */
async function expectAll(store: PostgresStore, numbers: readonly number[]): Promise<void> {
  await store.transaction(async (tx) => {
    for (const n of numbers) {
      expect(await shopOf(tx).findProfile(n)).toMatchObject({ firstName: `Name ${n}` });
      expect(await shopOf(tx).findByUsername(`USER_${n}`)).toEqual([n]);
      expect(await tx.documents.get("notes", `${n}`)).toEqual({ said: `Document ${n}` });
      expect(await stockOf(tx).addCode("tea", `Code ${n}`, 0)).toBe(false);
    }
  });
  const letters = await store.deadLetters({ offset: 0, limit: 1_000 });
  expect(letters.map(({ payload }) => payload["n"]).toSorted()).toEqual([...numbers].toSorted());
}

describe.skipIf(noPostgres)(`a key rotation on PostgreSQL${orSkipped}`, () => {
  test("loses nothing that either process writes before, during or after it", async () => {
    const { events, open, schema } = setup();
    const [one, two] = [await open("one"), await open("two")];
    await fill(one, 1);
    await fill(two, 2);
    const [answer, again] = await Promise.all([one.rotateKey(), two.rotateKey()]);
    expect([answer, again]).toEqual([{ keyId: 2 }, { keyId: 2 }]);
    const numbers = [1, 2];
    for (let n = 3; (await keysIn(schema)).kept.length > 1 || n < 6; n++) {
      await fill(n % 2 ? one : two, n);
      numbers.push(n);
      await expectAll(n % 2 ? two : one, numbers);
    }
    await untilOnly(schema, 2);
    await fill(two, 1_000);
    await expectAll(one, [...numbers, 1_000]);
    await expectAll(await open("three"), [...numbers, 1_000]);
    expect(await keysIn(schema)).toEqual(only(2));
    const said = events.filter(({ type }) => type.startsWith("keys."));
    expect(said).toContainEqual({ type: "keys.rotated", keyId: 2 });
    expect(said).toContainEqual(expect.objectContaining({ type: "keys.swept", keyId: 2 }));
    expect(said.filter(({ type }) => type === "keys.sweep-failed")).toEqual([]);
  });

  test("waits for a process that sleeps, as long as its session lives", async () => {
    const { events, open, schema, sleeper } = setup();
    const one = await open("one");
    await fill(one, 1);
    const { connection, number } = await sleeper(1);
    await one.rotateKey();
    const waits = { type: "keys.rotation-waits", keyId: 2, processes: [number] };
    await expect.poll(() => events).toContainEqual(waits);
    await fill(one, 2);
    expect(await keysIn(schema)).toEqual({ used: [1], kept: [1, 2] });
    await connection.end();
    await untilOnly(schema, 2);
    await expectAll(one, [1, 2]);
  });

  test("waits for a process of a version that learns of no key, which cannot enter again without it", async () => {
    const { connect, open, rotationOn, schema } = setup();
    const enter = `SELECT enter_1(${lockClass}, 'old', 'far', 1, '0', 0)`;
    const one = await open("one");
    const old = await connect();
    await old.all(enter);
    const { rotation } = rotationOn(await connect());
    await rotation.begin();
    const state = () => rotation.advance(goOn);
    await expect.poll(state).toMatchObject({ processes: [{ host: "far", old: true }] });
    await fill(one, 1);
    await old.end();
    await untilOnly(schema, 2);
    await expect((await connect()).all(enter)).rejects.toThrow("does not know the newest data key");
    await expectAll(one, [1]);
  });

  test("waits for a process whose encryption key does not open the new key, and that process says so", async () => {
    const { events, open, schema } = setup();
    const one = await open("one", keysOf("key"), false);
    await fill(one, 1);
    const two = await open("two", keysOf("another", "key"));
    await two.rotateKey();
    const failed = { code: "CONFIGURATION_ENCRYPTION_KEY" };
    await expect
      .poll(() => events)
      .toContainEqual(
        expect.objectContaining({
          type: "keys.sweep-failed",
          error: expect.objectContaining(failed),
        }),
      );
    await fill(one, 2);
    await expectAll(two, [1, 2]);
    expect((await keysIn(schema)).used).toEqual([1]);
    await one.close();
    await untilOnly(schema, 2);
    await expectAll(two, [1, 2]);
  });

  test("puts no key to use while a process enters that has not read it", async () => {
    const { connect, open, rotationOn, schema } = setup();
    const one = await open("one");
    await fill(one, 1);
    await one.close();
    const connection = await connect();
    const { rotation } = rotationOn(connection);
    const known = "SELECT data_key FROM processes WHERE ended IS NULL";
    // A process that enters is held up between its reading of the keys and its row.
    await byHand(`CREATE FUNCTION ${schema}.slowly() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(0.4); RETURN NEW; END $$`);
    await byHand(`CREATE TRIGGER slowly BEFORE INSERT ON ${schema}.processes
      FOR EACH ROW EXECUTE FUNCTION ${schema}.slowly()`);
    onTestFinished(() => byHand(`DROP FUNCTION ${schema}.slowly CASCADE`).then(() => {}));
    const rotate = async () => {
      await rotation.begin();
      while ((await rotation.look()).kind === "waiting") await rotation.advance(goOn);
      return connection.all(known);
    };
    let reads = 0;
    let knownByAll: Promise<unknown[]> | undefined;
    const find = () => {
      // The first time is before it enters.
      if (++reads === 2) knownByAll = rotate();
      return keysOf("key").find();
    };
    const two = await open("two", { ...keysOf("key"), find });
    expect(await knownByAll).toEqual([{ data_key: 2 }]);
    await untilOnly(schema, 2);
    await expectAll(two, [1]);
  });

  test("a transaction that seals with the old key ends before older values are sealed again", async () => {
    const { connect, rotationOn, lostProcess, schema } = setup();
    const { ghost, known } = await lostProcess();
    const begun = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const put = (key: string) => async () => {
      const sql = "INSERT INTO documents (collection, key, value) VALUES ($1, $2, $3)";
      await ghost.run(sql, ["ghost", key, known.ring.seal("{}", `documents|value|ghost|${key}`)]);
    };
    const writing = known.writing(ghost, async () => {
      begun.resolve();
      await mayEnd.promise;
      await put("during")();
    });
    await begun.promise;
    const { rotation } = rotationOn(await connect());
    await rotation.begin();
    await rotation.advance(goOn);
    for (let tries = 0; tries < 3; tries++) {
      expect(await rotation.advance(goOn)).toMatchObject({ kind: "sealing" });
    }
    expect((await keysIn(schema)).kept).toEqual([1, 2]);
    mayEnd.resolve();
    await writing;
    await rotation.advance(goOn);
    expect(await keysIn(schema)).toEqual(only(2));
    // What it begins now is refused with the old key, and done with the new one.
    expect(known.ring.currentId).toBe(1);
    await known.writing(ghost, put("after"));
    expect(await keysIn(schema)).toEqual(only(2));
  });

  test("a turn that seals with the old key is refused, and done with the new one", async () => {
    const { connect, open, schema } = setup();
    const one = await open("one");
    const connection = await connect();
    const now = systemClock.epochMs();
    const keys = keysOf("key");
    // It is put to use without a word to the process.
    await addDataKey(connection, keys, 1, now);
    await connection.run("UPDATE data_keys SET used_at = $1", [now]);
    await one.enqueue([update("a", 1)]);
    expect((await keysIn(schema)).used).toEqual([2]);
    expect(await claim(one)).toMatchObject([{ payload: { n: 1 } }]);
  });

  test("a value whose key came while a process had no session is read at the second attempt, and a broken one never", async () => {
    const { connect, rotationOn, lostProcess, schema } = setup();
    const { ghost, known } = await lostProcess();
    const { rotation } = rotationOn(await connect());
    await rotation.begin();
    await finish(rotation);
    const read = () =>
      known.reading(ghost, async () => {
        const [row] = await ghost.all<{ id: number; payload: Uint8Array }>(
          "SELECT id, payload FROM messages WHERE origin IS NULL LIMIT 1",
        );
        return known.ring.open(row?.payload, `messages|payload|${row?.id}`);
      });
    await expect(read()).rejects.toMatchObject({ code: "STORAGE_BUSY", transient: true });
    expect(JSON.parse(await read())).toMatchObject({ n: 1 });
    await byHand(`UPDATE ${schema}.messages SET payload = set_byte(payload, 4, 9)`);
    await expect(read()).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
    await expect(read()).rejects.toMatchObject({ code: "STORAGE_CORRUPT" });
  });

  test("a row that somebody works on is left to the next pass, and is not overwritten", async () => {
    const { connect, open, rotationOn, schema } = setup();
    const one = await open("one");
    await fill(one, 1);
    await one.enqueue(Array.from({ length: 450 }, (_, n) => update(`many ${n}`, n)));
    await one.close();
    const { dataKeys, rotation } = rotationOn(await connect());
    await rotation.begin();
    await rotation.advance(goOn);
    const busy = await connect();
    await busy.exec("BEGIN; SELECT 1 FROM accounts FOR UPDATE");
    await rotation.advance(goOn);
    expect(await keysIn(schema)).toEqual({ used: [1, 2], kept: [1, 2] });
    const profile = dataKeys.ring.seal('{"firstName":"New name"}', "accounts|profile|1");
    await busy.run("UPDATE accounts SET profile = $1", [profile]);
    await busy.exec("COMMIT");
    await rotation.advance(goOn);
    expect(await keysIn(schema)).toEqual(only(2));
    const two = await open("two");
    const found = await two.transaction((tx) => shopOf(tx).findProfile(1));
    expect(found).toEqual({ firstName: "New name" });
  });

  test("a key that a failover has lost seals nothing more, and another one of its number takes its place", async () => {
    const { open, schema } = setup();
    const one = await open("one");
    await fill(one, 1);
    const [key] = await byHand<{ wrapped: Buffer; created_at: string }>(
      `SELECT wrapped, created_at FROM ${schema}.data_keys`,
    );
    await one.rotateKey();
    await untilOnly(schema, 2);
    // The new primary is behind, and never heard of that key.
    const files = columns.map(({ table }) => `${schema}.${table}`).join(", ");
    await byHand(`TRUNCATE ${files}, ${schema}.lanes, ${schema}.data_keys CASCADE`);
    await byHand(`INSERT INTO ${schema}.data_keys VALUES (1, $1, $2)`, [
      key?.wrapped,
      key?.created_at,
    ]);
    await cutSession(schema, 1);
    await expect
      .poll(() =>
        one.probe().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await fill(one, 2);
    expect(await keysIn(schema)).toEqual(only(1));
    await one.rotateKey();
    await untilOnly(schema, 2);
    await expectAll(await open("two"), [2]);
  });

  test("is refused while there are columns that this program does not know", async () => {
    const { open, schema } = setup();
    const one = await open("one");
    await fill(one, 1);
    const name = shop.tables?.[0]?.name;
    for (const set of ["another", name]) {
      await byHand(`INSERT INTO ${schema}.table_set_migrations VALUES ($1, 99, 0)`, [set]);
      await expect(one.rotateKey()).rejects.toMatchObject({
        code: "KEY_ROTATION_REFUSED",
        message: expect.stringContaining(`${set}`),
      });
      await byHand(`DELETE FROM ${schema}.table_set_migrations WHERE version = 99`);
    }
    expect(await one.rotateKey()).toEqual({ keyId: 2 });
    await untilOnly(schema, 2);
  });

  test("killed before any of its statements, it is finished by the next one", {
    timeout: 120_000,
  }, async () => {
    const { connect, open, rotationOn, schema } = setup();
    const filler = await open("one");
    await fill(filler, 1);
    await filler.close();
    const next = await connect();
    const killedAt = async (at: number) => {
      const mortal = await connect();
      const count = await diesAt(mortal, at, async (connection) => {
        const { rotation } = rotationOn(connection);
        await rotation.begin();
        await finish(rotation);
      });
      const { rotation: rest } = rotationOn(next);
      const newest = await rest.begin();
      await finish(rest);
      expect(await keysIn(schema)).toEqual(only(newest));
      return count;
    };
    const count = await killedAt(Number.POSITIVE_INFINITY);
    expect(count).toBeGreaterThan(40);
    // The beginning, the change and the end one by one; the columns in between are all alike.
    const each = (at: number) => at < 26 || at > count - 8 || at % 11 === 0;
    for (let at = 1; at <= count; at++) if (each(at)) await killedAt(at);
    await expectAll(await open("two"), [1]);
  });
});

/** Runs `work` until its connection is cut before this statement. @returns how many there were. */
async function diesAt(
  mortal: Connection,
  at: number,
  work: (connection: Connection) => Promise<void>,
): Promise<number> {
  let count = 0;
  const dying = () => {
    if (++count >= at) mortal.destroy();
    return count >= at;
  };
  const died = () => Promise.reject(new Error("died"));
  const { all, exec, run } = mortal;
  Object.assign(mortal, {
    all: (...given: Parameters<typeof all>) => (dying() ? died() : all.apply(mortal, given)),
    exec: (...given: Parameters<typeof exec>) => (dying() ? died() : exec.apply(mortal, given)),
    run: (...given: Parameters<typeof run>) => (dying() ? died() : run.apply(mortal, given)),
  });
  await work(mortal).catch((error) => {
    if (count < at) throw error;
  });
  return count;
}
