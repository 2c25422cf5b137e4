/** Several processes on one database: nothing is lost, doubled or reordered between them. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Clock, systemClock } from "../../../bot/core/clock.ts";
import { StorageBusyError } from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import type { NewMessage, Pool } from "../../../bot/core/message.ts";
import { type RoleListener, roles } from "../../../bot/core/roles.ts";
import { Secret } from "../../../bot/core/secret.ts";
import { openAccount } from "../../../bot/shop/accounts.ts";
import { buy } from "../../../bot/shop/orders.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";
import { askRefund, creditPayment } from "../../../bot/shop/stars/topups.ts";
import { setStock } from "../../../bot/shop/stock/offers.ts";
import { Connection } from "../../../bot/storage/postgres/connection.ts";
import type { PostgresStore } from "../../../bot/storage/postgres/postgres-store.ts";
import { probeDatabase } from "../../../bot/storage/postgres/startup-probe.ts";
import { seededRandom } from "../../../lab/simulation/seeded-random.ts";
import { exampleCatalogue, rules, starOptions } from "../../shop/shop-setup.ts";
import { byHand, noPostgres, orSkipped, postgresUrl } from "../../support/postgres.ts";
import {
  createPostgresStore,
  cutSession,
  makeSchema,
  untilFree,
} from "../../support/postgres-store.ts";
import { claim, ref, update } from "../store-conformance.ts";

async function openTwo(laneLengthMax = 5) {
  const schema = makeSchema();
  const open = async (name: string) => {
    const store = await createPostgresStore({ schema, name, laneLengthMax, clock: systemClock });
    await store.open();
    return store;
  };
  return { schema, one: await open("one"), two: await open("two") };
}

const released = () => ({ outcome: { kind: "released" } }) as const;
const done = { kind: "done", enqueue: [] } as const;
const none = () => [];
const ready: RoleListener = { gaining: async () => {}, changed: () => {} };
/** Time passes, and nothing that sleeps is woken by it. */
function stillClock(): Clock {
  const sleep: Clock["sleep"] = (_ms, signal) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  return { ...systemClock, sleep, timer: () => () => {} };
}
const rolesOf = (store: PostgresStore) => roles.filter((role) => store.roles.has(role));

async function untilOpen(store: PostgresStore): Promise<void> {
  await expect
    .poll(() =>
      store.probe().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
}

describe.skipIf(noPostgres)(`two processes on one PostgreSQL${orSkipped}`, () => {
  test("never have the same message in hand, and nobody takes from the living", async () => {
    const { one, two } = await openTwo();
    await one.enqueue([update("a", 1), update("a", 2), update("b", 3)]);
    const [mine, theirs] = await Promise.all([claim(one, { limit: 1 }), claim(two)]);
    expect([...mine, ...theirs].map(({ payload }) => payload["n"]).toSorted()).toEqual([1, 3]);
    expect(await two.recover(released)).toEqual([]);
    expect(await claim(two)).toEqual([]);
  });

  test("what a dead one had in hand is taken over once, with its death counted", async () => {
    const { one, schema, two } = await openTwo();
    await one.enqueue([update("a", 1), update("a", 2)]);
    await claim(one);
    await one.kill();
    await untilFree(schema, 1);
    const third = await createPostgresStore({ schema, name: "three", clock: systemClock });
    await third.open();
    const found = await Promise.all([two.recover(released), third.recover(released)]);
    expect(found.flat()).toMatchObject([{ payload: { n: 1 }, deaths: 1 }]);
    expect(await claim(two)).toMatchObject([{ payload: { n: 1 }, deaths: 1 }]);
  });

  test("a step that is under way is not taken over, and is not repeated afterwards", async () => {
    const { one, schema, two } = await openTwo();
    await one.enqueue([update("a", 1)]);
    const [message] = await claim(one);
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const step = one.step(
      ref(message),
      "s",
      async (tx) => {
        await shopOf(tx).insertAccount({ userId: 7, createdAtEpochMs: 0 });
        begun.resolve();
        await goOn.promise;
        return "kept";
      },
      none,
    );
    await begun.promise;
    await cutSession(schema, 1);
    expect(await two.recover(released)).toEqual([]);
    goOn.resolve();
    expect(await step).toBe("kept");
    expect(await two.recover(released)).toMatchObject([{ payload: { n: 1 } }]);
    const [again] = await claim(two);
    const never = () => Promise.reject(new Error("must not run twice"));
    expect(await two.step(ref(again), "s", never, none)).toBe("kept");
  });

  test("a lost session drops what is in hand, and the process goes on under another number", async () => {
    const { one, schema } = await openTwo();
    await one.enqueue([update("a", 1)]);
    const [message] = await claim(one);
    await cutSession(schema, 1);
    await untilOpen(one);
    await expect(one.finish(ref(message), done)).rejects.toMatchObject({ code: "ATTEMPT_OVER" });
    await expect(one.step(ref(message), "s", async () => 1, none)).rejects.toMatchObject({
      code: "ATTEMPT_OVER",
    });
    // It has not died, so the message is not suspected.
    expect(await one.recover(released)).toMatchObject([{ payload: { n: 1 }, deaths: 0 }]);
    const [again] = await claim(one);
    await one.finish(ref(again), done);
    expect(await one.depth("handling")).toBe(0);
  });

  test("a lost session takes the process's other connections with it, which may be as dead", async () => {
    const schema = makeSchema();
    const store = await createPostgresStore({ schema, name: "one", clock: systemClock });
    await store.open();
    const connections = async () => {
      const rows = await byHand<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'bot'",
      );
      return rows.map(({ pid }) => pid);
    };
    // For turns, and for reading.
    await store.snapshot();
    const before = await connections();
    expect(before.length).toBeGreaterThanOrEqual(2);
    await cutSession(schema, 1);
    await untilOpen(store);
    await store.snapshot();
    await expect
      .poll(async () => (await connections()).filter((pid) => before.includes(pid)))
      .toEqual([]);
  });

  test("an attempt of a process that was taken over commits nothing", async () => {
    const { one, schema, two } = await openTwo();
    await one.enqueue([update("a", 1)]);
    const [message] = await claim(one);
    // As when it stood still for too long: its row says so, and it does not know yet.
    await byHand(`UPDATE ${schema}.processes SET ended = 'taken-over' WHERE number = 1`);
    await two.recover(released);
    // A beat may have noticed it first, and then the attempt is one of an earlier life.
    const over = { code: expect.stringMatching(/^(STORAGE_SESSION_LOST|ATTEMPT_OVER)$/) };
    const step = one.step(ref(message), "s", async () => 1, none);
    await expect(step).rejects.toMatchObject(over);
    const finished = one.finish(ref(message), { kind: "done", enqueue: [update("b", 2)] });
    await expect(finished).rejects.toMatchObject(over);
    expect(await two.depth("handling")).toBe(1);
  });

  test("no process is taken for dead while it is being born", async () => {
    const { one, schema } = await openTwo();
    let born = false;
    const looking = (async () => {
      while (!born) await one.recover(released);
    })();
    const stores = await Promise.all(
      ["a", "b", "c", "d", "e"].map((name) =>
        createPostgresStore({ schema, name, clock: systemClock }),
      ),
    );
    await Promise.all(stores.map((store) => store.open()));
    born = true;
    await looking;
    expect(await byHand(`SELECT number FROM ${schema}.processes WHERE ended IS NOT NULL`)).toEqual(
      [],
    );
  });

  test("P2: money is never spent twice, however many buy at the same time", async () => {
    const { one, two } = await openTwo();
    const [product] = exampleCatalogue.products.toSorted((a, b) => a.priceMinor - b.priceMinor);
    const { priceMinor = 0, sku = "" } = product ?? {};
    await one.transaction((tx) => openAccount(tx, 7, priceMinor * 3));
    const wishes = Array.from({ length: 8 }, (_, n) =>
      (n % 2 === 0 ? one : two).transaction((tx) =>
        buy(tx, rules, { userId: 7, sku, priceMinor, idempotencyKey: String(n) }),
      ),
    );
    const kinds = (await Promise.all(wishes)).map(({ kind }) => kind).toSorted();
    expect(kinds.filter((kind) => kind === "bought")).toHaveLength(3);
    expect(kinds.filter((kind) => kind === "insufficient-balance")).toHaveLength(5);
    expect(await two.transaction((tx) => shopOf(tx).balanceMinor(7))).toBe(0);
  });

  test("P2: the last piece is sold once, and a refund takes nothing that a purchase takes", async () => {
    const { one, two } = await openTwo();
    const [product] = exampleCatalogue.products.toSorted((a, b) => a.priceMinor - b.priceMinor);
    if (!product) throw new Error("the catalogue is empty");
    const { priceMinor, sku } = product;
    const buyers = [7, 8, 9, 10];
    await one.transaction(async (tx) => {
      for (const userId of buyers) await openAccount(tx, userId, priceMinor);
      await setStock(tx, product, 1);
    });
    const sales = buyers.map((userId, n) =>
      (n % 2 === 0 ? one : two).transaction((tx) =>
        buy(tx, rules, { userId, sku, priceMinor, idempotencyKey: "k" }),
      ),
    );
    const kinds = (await Promise.all(sales)).map(({ kind }) => kind).toSorted();
    expect(kinds).toEqual(["bought", "sold-out", "sold-out", "sold-out"]);

    const charge = { chargeId: "c", userId: 11, currency: "XTR", total: 100, payload: "?" };
    const credit = { ...starOptions, starValueMinor: priceMinor, welcomeBalanceMinor: 0 };
    await one.transaction(async (tx) => {
      await creditPayment(tx, credit, charge);
      await setStock(tx, product, 1);
    });
    const [sale, refund] = await Promise.all([
      one.transaction((tx) => buy(tx, rules, { userId: 11, sku, priceMinor, idempotencyKey: "k" })),
      two.transaction((tx) => askRefund(tx, "c", 1)),
    ]);
    expect([`${sale.kind} ${refund.kind}`]).toEqual([
      expect.stringMatching(/^(bought spent|insufficient-balance asked)$/),
    ]);
  });

  test("a key queues one message, whoever queues it first", async () => {
    const { one, two } = await openTwo();
    const keyed = (n: number): NewMessage => ({
      ...update(`lane ${n}`, n),
      key: { name: "k", again: "refuse" },
    });
    const both = Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).enqueue([keyed(n)]));
    const kinds = (await Promise.all(both)).flat().map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "queued")).toHaveLength(1);
    expect(await one.depth("handling")).toBe(1);
  });

  test("what is cancelled is not worked on, and what is worked on is not cancelled", async () => {
    const { one, two } = await openTwo();
    for (let n = 1; n <= 10; n++) {
      await one.enqueue([{ ...update("a", n), key: { name: "k", again: "replace" } }]);
      const [claimed, cancelled] = await Promise.all([
        claim(one),
        two.transaction(({ messages }) => messages.cancel("k")),
      ]);
      expect([claimed.length, cancelled]).toEqual(cancelled ? [0, true] : [1, false]);
      for (const message of claimed) await one.finish(ref(message), done);
      expect(await claim(one)).toEqual([]);
    }
  });

  test("a delayed message enters its lane once, in whichever process its time comes", async () => {
    const { one, two } = await openTwo(100);
    const soon = systemClock.epochMs() + 200;
    await one.enqueue(
      Array.from({ length: 20 }, (_, n) => ({
        ...update(`lane ${n % 3}`, n),
        availableAtEpochMs: soon,
      })),
    );
    expect(await one.depth("handling")).toBe(0);
    expect(await two.nextAvailableAtEpochMs("handling")).toBe(soon);
    const handled: number[] = [];
    const work = async (store: PostgresStore) => {
      while (handled.length < 20) {
        for (const message of await claim(store)) {
          handled.push(message.payload["n"] as number);
          await store.finish(ref(message), done);
        }
      }
    };
    await Promise.all([work(one), work(two)]);
    for (const lane of [0, 1, 2]) {
      const own = handled.filter((n) => n % 3 === lane);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
    expect(new Set(handled).size).toBe(20);
    expect(await one.depth("handling")).toBe(0);
  });

  test("P5: a lane's order is that of the commits, although each process has ids of its own", async () => {
    const { one, two } = await openTwo();
    // The first one to queue takes the lower ids.
    await two.enqueue([update("other", 0)]);
    await one.enqueue([update("a", 1)]);
    await one.enqueue([update("a", 2)]);
    await two.enqueue([update("a", 3)]);
    await one.enqueue([update("a", 4)]);
    const order: unknown[] = [];
    for (;;) {
      const [message] = (await claim(one)).filter(({ lane }) => lane === "a");
      if (!message) break;
      order.push(message.payload["n"]);
      await one.finish(ref(message), done);
    }
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test("P5: any mix of queueing, working and failing keeps each lane's order, without a deadlock", async () => {
    const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    const random = seededRandom(seed);
    // A turn that met a deadlock is made again, so only the statement itself tells of it.
    const statements = vi.spyOn(Connection.prototype, "all");
    onTestFinished(() => statements.mockRestore());
    const { one, two } = await openTwo(1_000);
    const lanes = ["a", "b", "c", "d", "e", "f"];
    const queued = new Map<string, number[]>();
    const handled = new Map<string, number[]>();
    let n = 0;
    const write = async (store: PostgresStore) => {
      for (let batch = 0; batch < 20; batch++) {
        // One lane belongs to one writer, so that the order of its calls is known.
        const own = lanes.filter((_, index) => index % 2 === (store === one ? 0 : 1));
        const messages = Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
          const lane = own[Math.floor(random() * own.length)] as string;
          return { ...update(lane, ++n), dedupeKeys: [`k${Math.floor(random() * 1e9)}`] };
        });
        for (const { lane, payload } of messages) {
          queued.set(lane, [...(queued.get(lane) ?? []), payload.n]);
        }
        await store.enqueue(messages);
      }
    };
    const failed = new Set<unknown>();
    let writing = true;
    const work = async (store: PostgresStore) => {
      while (writing || (await store.depth("handling")) > 0) {
        const messages = await claim(store, { limit: 1 + Math.floor(random() * 8) });
        await Promise.all(
          messages.map(async (message) => {
            const number = message.payload["n"] as number;
            const attempt = ref(message);
            if (random() < 0.3 && !failed.has(number)) {
              failed.add(number);
              const error = { code: "X", message: "x", atEpochMs: 0 };
              const again = {
                kind: "retry",
                availableAtEpochMs: 0,
                error,
                onRetry: "hold",
              } as const;
              await store.finish(attempt, again);
              return;
            }
            if (random() < 0.3) {
              await store.step(
                attempt,
                "s",
                async () => number,
                () => [{ ...update("a", -1), pool: "sending" }],
              );
            }
            handled.set(message.lane, [...(handled.get(message.lane) ?? []), number]);
            await store.finish(attempt, {
              kind: "done",
              enqueue: lanes.slice(0, 3).map((lane) => ({ ...update(lane, 0), pool: "sending" })),
            });
          }),
        );
      }
    };
    const workers = Promise.all([work(one), work(two)]);
    await Promise.all([write(one), write(two)]);
    writing = false;
    await workers;
    expect(handled, `seed ${seed}`).toEqual(queued);
    const refused = statements.mock.settledResults.filter(({ type }) => type === "rejected");
    expect(refused, `seed ${seed}`).toEqual([]);
  });

  test("each role has one process, and the next one gets it when that process's session is over", async () => {
    const { one, schema, two } = await openTwo();
    one.roles.start(ready);
    await expect.poll(() => rolesOf(one)).toEqual(roles);
    two.roles.start(ready);
    await one.roles.giveUp("sweeping");
    await expect.poll(() => rolesOf(two)).toEqual(["sweeping"]);
    await one.kill();
    await untilFree(schema, 1);
    await expect.poll(() => rolesOf(two)).toEqual(roles);
  });

  test("a role that is given up is taken at once, not at the next look", async () => {
    const { one, schema } = await openTwo();
    const two = await createPostgresStore({ schema, name: "three", clock: stillClock() });
    await two.open();
    one.roles.start(ready);
    await expect.poll(() => rolesOf(one)).toEqual(roles);
    two.roles.start(ready);
    for (const role of roles) await one.roles.giveUp(role);
    await expect.poll(() => rolesOf(two)).toEqual(roles);
  });

  test("a process whose session was lost has no role until its next session has it", async () => {
    const { one, schema } = await openTwo();
    const heard: string[] = [];
    one.roles.start({ ...ready, changed: (role, has) => heard.push(`${role} ${has}`) });
    await expect.poll(() => rolesOf(one)).toEqual(roles);
    heard.length = 0;
    await cutSession(schema, 1);
    await expect.poll(() => heard.length).toBe(6);
    expect(heard.slice(0, 3)).toEqual(["intake false", "sending false", "sweeping false"]);
    expect(rolesOf(one)).toEqual(roles);
  });

  test("a data directory has one process, and the next one waits until the last one's session is over", async () => {
    const schema = makeSchema();
    const open = async (sessionMs: number) => {
      const store = await createPostgresStore({
        schema,
        name: "one",
        sessionMs,
        clock: systemClock,
      });
      await store.open();
      return store;
    };
    const first = await open(60_000);
    await expect(open(500)).rejects.toMatchObject({ code: "STORAGE_IN_USE", exitCode: 75 });
    await first.kill();
    await open(60_000);
  });

  test("a role is had only once its process is ready for it, and is tried for again when that fails", async () => {
    const { one } = await openTwo();
    const heard: string[] = [];
    one.roles.start({
      gaining: async (role) => {
        heard.push(`gaining ${role}: ${one.roles.has(role)}`);
        if (heard.length === 1) throw new StorageBusyError("not now");
      },
      changed: (role, has) => heard.push(`${role} ${has}`),
    });
    await expect.poll(() => rolesOf(one)).toEqual(roles);
    expect(heard.slice(0, 3)).toEqual([
      "gaining intake: false",
      "gaining intake: false",
      "intake true",
    ]);
    await one.roles.giveUp("intake");
    expect(heard.at(-1)).toBe("intake false");
  });

  test("where another server has taken over, polling and sending wait until nobody does so by the old one", async () => {
    const schema = makeSchema();
    const open = async (name: string) => {
      const store = await createPostgresStore({ schema, name, clock: stillClock() });
      await store.open();
      return store;
    };
    const noted = `${schema}.settings WHERE name = 'database.server'`;
    const first = await open("first");
    first.roles.start(ready);
    await expect.poll(() => rolesOf(first)).toEqual(roles);
    await first.kill();
    await untilFree(schema);
    await byHand(
      `UPDATE ${schema}.settings SET value = 'another/00000001@0' WHERE name = 'database.server'`,
    );
    const second = await open("second");
    second.roles.start(ready);
    // Its clock stands still, so the wait does not end.
    await expect
      .poll(() => byHand(`SELECT 1 FROM ${noted} AND value NOT LIKE 'another%'`))
      .toHaveLength(1);
    expect(rolesOf(second)).toEqual([]);
    await second.kill();
    await untilFree(schema);
    await byHand(
      `UPDATE ${schema}.settings SET value = split_part(value, '@', 1) || '@' || '1' WHERE name = 'database.server'`,
    );
    const third = await open("third");
    third.roles.start(ready);
    await expect.poll(() => rolesOf(third)).toEqual(roles);
  });

  test("each process shows all, with what each does for all, and asks another one to restart", async () => {
    const { one, schema, two } = await openTwo();
    one.roles.start(ready);
    await expect.poll(() => rolesOf(one)).toEqual(roles);
    const status = {
      health: "degraded",
      monitoringUrl: "http://127.0.0.1:1",
      roles: { intake: 5 },
    };
    expect(await one.processes.report({ ...status, health: "degraded" })).toBe(false);
    const list = await two.processes.list();
    expect(list).toMatchObject([
      { number: 2, state: "alive", self: true, roles: [], health: undefined },
      { number: 1, state: "alive", self: false, health: "degraded", pid: process.pid },
    ]);
    expect(list[1]?.roles).toEqual([
      { role: "intake", sinceEpochMs: 5 },
      { role: "sending", sinceEpochMs: undefined },
      { role: "sweeping", sinceEpochMs: undefined },
    ]);
    expect(await two.processes.askRestart(9)).toBe(false);
    expect(await two.processes.askRestart(1)).toBe(true);
    expect(await one.processes.report({ ...status, health: "degraded" })).toBe(true);
    // It is asked once.
    expect(await one.processes.report({ ...status, health: "degraded" })).toBe(false);
    await one.kill();
    await untilFree(schema, 1);
    expect(await two.processes.list()).toMatchObject([
      { state: "alive" },
      { state: "lost", roles: [] },
    ]);
    expect(await two.processes.askRestart(1)).toBe(false);
  });

  test("commits that PostgreSQL has confirmed and lost are counted and said before anything else", async () => {
    const schema = makeSchema();
    const events: BotEvent[] = [];
    const publish = (event: BotEvent) => {
      events.push(event);
    };
    const store = await createPostgresStore({ schema, name: "one", publish, clock: systemClock });
    await store.open();
    for (let n = 0; n < 3; n++) await store.enqueue([update("a", n)]);
    await byHand(`BEGIN; LOCK TABLE ${schema}.processes IN ACCESS EXCLUSIVE MODE;
      UPDATE ${schema}.processes SET commits = 1;
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory') AND pid <> pg_backend_pid();
      COMMIT`);
    await untilOpen(store);
    const lost = events.filter(({ type }) => type === "storage.commits-lost");
    expect(lost).toEqual([{ type: "storage.commits-lost", commits: expect.any(Number) }]);
    expect(lost[0]).toMatchObject({ commits: expect.toSatisfy((commits: number) => commits >= 2) });
    // A session that is lost without its commits is nothing to report.
    await cutSession(schema, 2);
    await untilOpen(store);
    expect(events.filter(({ type }) => type === "storage.commits-lost")).toHaveLength(1);
  });

  test("ids that PostgreSQL has lost with other commits are not used by two processes", async () => {
    const { one, schema, two } = await openTwo();
    await one.enqueue([update("a", 0)]);
    await byHand(`DELETE FROM ${schema}.messages; DELETE FROM ${schema}.lanes;
      ALTER SEQUENCE ${schema}.message_ids RESTART`);
    await cutSession(schema, 1);
    await untilOpen(one);
    for (const n of [1, 2]) {
      await two.enqueue([update("b", n)]);
      await one.enqueue([update("c", n)]);
    }
    expect(await one.depth("handling")).toBe(4);
  });

  test("only the process that sends takes over sends", async () => {
    const { one, schema, two } = await openTwo();
    await one.enqueue([{ ...update("a", 1), pool: "sending" }, update("b", 2)]);
    await claim(one, { pool: "sending" });
    await claim(one);
    two.roles.start(ready);
    await two.roles.giveUp("sending");
    await one.kill();
    await untilFree(schema, 1);
    const third = await createPostgresStore({ schema, name: "three", clock: systemClock });
    await third.open();
    third.roles.start(ready);
    expect(await two.recover(released)).toMatchObject([{ payload: { n: 2 }, deaths: 1 }]);
    await expect.poll(() => rolesOf(third)).toContain("sending");
    expect(await third.recover(released)).toMatchObject([{ payload: { n: 1 }, deaths: 1 }]);
  });

  test("what another process queues for the one that sends wakes it at once", async () => {
    const schema = makeSchema();
    const open = async (name: string, clock: Clock) => {
      const store = await createPostgresStore({ schema, name, clock });
      await store.open();
      return store;
    };
    const sender = await open("sender", stillClock());
    const woken: Pool[] = [];
    sender.onWork((pool) => woken.push(pool));
    // Its clock stands still, so it looks at nothing by itself.
    expect(await sender.nextAvailableAtEpochMs("sending")).toBe(undefined);
    const other = await open("other", systemClock);
    other.roles.start(ready);
    await Promise.all(roles.map((role) => other.roles.giveUp(role)));
    await other.enqueue([{ ...update("a", 1), pool: "sending" }]);
    await expect.poll(() => woken).toEqual(["sending"]);
    woken.length = 0;
    await claim(sender, { pool: "sending" });
    await other.enqueue([update("b", 2)]);
    const [message] = await claim(other);
    const reply = () => [{ ...update("c", 3), pool: "sending" } as const];
    await other.step(ref(message), "s", async () => 1, reply);
    await expect.poll(() => woken).toContain("sending");
  });

  test("what does not keep sessions is refused with the mend", async () => {
    const options = { url: new Secret(await postgresUrl()), schema: "public", settings: {} };
    const [first, second] = [await Connection.open(options), await Connection.open(options)];
    await probeDatabase(first, second);
    // A pooler in transaction mode gives both the same server connection.
    await expect(probeDatabase(first, first)).rejects.toMatchObject({
      code: "DATABASE_UNSUITABLE",
      exitCode: 78,
      hint: expect.stringContaining("session mode"),
    });
    await Promise.all([first.end(), second.end()]);
  });
});
