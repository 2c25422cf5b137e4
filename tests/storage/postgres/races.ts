/**
 * Races: two processes on one database meet at one instant, and each race names what came of it that must
 * not.
 *
 * No race depends on luck. A session of the test's own holds a lane, or a purchase stays open, until each
 * side either has its answer or waits in PostgreSQL.
 */
import pg from "pg";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../../bot/core/clock.ts";
import type { Message, Pool } from "../../../bot/core/message.ts";
import type { ClaimRequest } from "../../../bot/core/store.ts";
import { openAccount } from "../../../bot/shop/accounts.ts";
import { buy } from "../../../bot/shop/orders.ts";
import type { PostgresStore } from "../../../bot/storage/postgres/postgres-store.ts";
import { rules } from "../../shop/shop-setup.ts";
import { postgresUrl } from "../../support/postgres.ts";
import { claim, ref, update } from "../store-conformance.ts";

export interface Arena {
  /** The schema, and the name under which the processes' sessions are known to PostgreSQL. */
  readonly schema: string;
  /** Processes 1 and 2. */
  readonly one: PostgresStore;
  readonly two: PostgresStore;
  /** Asks the schema in a session of the test's own. */
  ask<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Opens one more process. */
  another(clock: Clock): Promise<PostgresStore>;
  /** What PostgreSQL has refused so far, also where the store has tried again. */
  readonly refusals: readonly string[];
}

/** @returns what must not have happened; `undefined` when all is well. */
export type Race = (arena: Arena) => Promise<string | undefined>;

const released = () => ({ outcome: { kind: "released" } }) as const;
const none = () => [];

/** Two processes take the same head. */
export function sameHead(pool: Pool, request: Partial<ClaimRequest>): Race {
  return async (arena) => {
    const { ask, one, two } = arena;
    await one.enqueue([{ ...update("head", 1), pool }]);
    await ask("UPDATE lanes SET deaths = $1", [request.suspects === "only" ? 1 : 0]);
    const letGo = await hold(arena, ["head"]);
    const claims = [claim(one, { pool, ...request }), claim(two, { pool, ...request })];
    await untilStuck(arena, claims);
    await letGo();
    const taken = (await Promise.all(claims)).flat();
    taken.push(...(await claim(two, { pool, ...request })));
    return taken.length === 1 ? undefined : `one message was taken ${taken.length} times`;
  };
}

/** Two processes find what a dead one had in hand. */
export const sameOrphan: Race = async (arena) => {
  const { ask, one, two } = arena;
  await one.enqueue([update("orphan", 1)]);
  // A dead process of an earlier time.
  await ask(`INSERT INTO processes
      (number, name, host, pid, version, started_at, beat_at, ended)
      VALUES (0, 'dead', '', 0, '', 0, 0, 'taken-over') ON CONFLICT DO NOTHING`);
  await giveTo(arena, 0);
  const letGo = await hold(arena, ["orphan"]);
  const looks = [one.recover(released), two.recover(released)];
  await untilStuck(arena, looks);
  await letGo();
  const ends = await Promise.allSettled(looks);
  const found = ends.flatMap((end) => (end.status === "fulfilled" ? end.value : []));
  found.push(...(await one.recover(released)));
  return found.length === 1 ? undefined : `one message was taken over ${found.length} times`;
};

/** A process dies on its main session while one of its steps is open on another session. */
export const takeoverBesideStep: Race = async (arena) => {
  const { another, one, two } = arena;
  const dying = await another(heldClock().clock);
  await one.enqueue([update("open step", 1)]);
  const [message] = await claim(dying);
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const step = endOf(
    dying.step(
      ref(message),
      "s",
      async () => {
        begun.resolve();
        await goOn.promise;
      },
      none,
    ),
  );
  await begun.promise;
  await endYoungest(arena);
  const look = two.recover(released);
  const waits = await Promise.race([
    look.then(() => false),
    untilStuck(arena, [look]).then(() => true),
  ]);
  goOn.resolve();
  const kept = (await step) === "it happened";
  const found = await look;
  await dying.kill();
  if (waits) return "a takeover waited for a step of the dead";
  return kept && found.length > 0 ? "a message was taken over during its step" : undefined;
};

/** A process that was taken over goes on, because it does not know. */
export function afterTakeover(
  deed: (stale: PostgresStore, message?: Message) => Promise<unknown>,
): Race {
  return async (arena) => {
    const { another, one, two } = arena;
    const stale = await another(heldClock().clock);
    await one.enqueue([update("stale", 1)]);
    const [message] = await claim(stale);
    await endYoungest(arena);
    await two.recover(released);
    const end = await endOf(deed(stale, message));
    await stale.kill();
    return end === "it happened" ? "work of a process that was taken over was kept" : undefined;
  };
}

export const queueMore = (store: PostgresStore) => store.enqueue([update("stale", 2)]);
export const step = (store: PostgresStore, message?: Message) =>
  store.step(ref(message), "s", async () => 1, none);

/** An attempt ends when another process has its message in hand. */
export const endOfLostAttempt: Race = async (arena) => {
  const { ask, one } = arena;
  await one.enqueue([update("lost attempt", 1)]);
  const [message] = await claim(one);
  await giveTo(arena, 2);
  const outcome = { kind: "done", enqueue: [update("follow-up", 2)] } as const;
  const end = await endOf(one.finish(ref(message), outcome));
  const left = await ask<{ lane: string }>("SELECT lane FROM messages");
  const sound = end === "ATTEMPT_OVER" && left.length === 1 && left[0]?.lane === "lost attempt";
  return sound ? undefined : `the end of a lost attempt: ${end}`;
};

/** The time of a delayed message comes in two processes at once. */
export const sameDelayed: Race = async (arena) => {
  const { ask, one, two } = arena;
  const later = { availableAtEpochMs: systemClock.epochMs() + 3_600_000 };
  await one.enqueue([update("delayed", 1), { ...update("delayed", 2), ...later }]);
  const letGo = await hold(arena, ["delayed"]);
  await ask("UPDATE messages SET enters_at = 1 WHERE pos IS NULL");
  const turns = [one.probe(), two.probe()];
  await untilStuck(arena, turns);
  await letGo();
  await Promise.all(turns);
  const [lane] = await ask<{ normal: number }>("SELECT normal FROM lanes");
  return lane?.normal === 2 ? undefined : `a lane of two messages counts ${lane?.normal}`;
};

/** Two turns end attempts in lanes of their own, and each queues into a lane of the other. */
export const crossedTurns: Race = async (arena) => {
  const { one, refusals, two } = arena;
  await one.enqueue([update("a", 1), update("d", 2)]);
  const ones = await claim(one);
  await two.enqueue([update("b", 3), update("c", 4)]);
  const twos = await claim(two);
  const letGo = await hold(arena, ["c", "d"]);
  // Wishes that are submitted together share a turn.
  const end = (store: PostgresStore, messages: readonly Message[], into: string) =>
    messages.map((message, index) => {
      const enqueue = index === 0 ? [update(into, 5)] : [];
      return endOf(store.finish(ref(message), { kind: "done", enqueue }));
    });
  const before = refusals.length;
  const turns = [Promise.all(end(one, ones, "b")), Promise.all(end(two, twos, "a"))];
  await untilStuck(arena, turns);
  await letGo();
  await Promise.all(turns);
  return refusals.slice(before).find((refusal) => refusal.includes("40P01"));
};

/** A turn waits for its first lane while another process's messages enter its second one. */
export const overtakenTurn: Race = async (arena) => {
  const { one, two } = arena;
  await one.enqueue([update("held", 0), update("overtaken", 0)]);
  const letGo = await hold(arena, ["held"]);
  const late = one.enqueue([update("held", 0), update("overtaken", 3)]);
  await untilStuck(arena, [late]);
  for (const n of [1, 2]) await two.enqueue([update("overtaken", n)]);
  await letGo();
  await late;
  const order: unknown[] = [];
  for (let round = 0; round < 4; round++) {
    for (const message of await claim(two)) {
      if (message.lane === "overtaken") order.push(message.payload["n"]);
      await two.finish(ref(message), { kind: "done", enqueue: [] });
    }
  }
  return order.join() === "0,1,2,3" ? undefined : `committed as 0,1,2,3 and handled as ${order}`;
};

/** One process looks for the dead when another one has just been born. */
export const newborn: Race = async ({ another, ask, one }) => {
  const born = await another(heldClock().clock);
  await one.recover(released);
  const [row] = await ask<{ ended: string | null }>(
    `SELECT ended FROM processes ORDER BY number DESC LIMIT 1`,
  );
  await born.kill();
  return row?.ended === null ? undefined : "a newborn process was taken for dead";
};

/** A balance is enough for one of two products, and the purchase of one is not committed yet. */
export const sameBalance: Race = async (arena) => {
  const { one, two } = arena;
  const [first, second] = rules.catalogue.products.toSorted((a, b) => a.priceMinor - b.priceMinor);
  if (!first || !second) throw new Error("the catalogue has no two products");
  const userId = Math.floor(Math.random() * 2 ** 40);
  await one.transaction((tx) => openAccount(tx, userId, second.priceMinor));
  const wish = ({ priceMinor, sku }: typeof first) => ({
    ...{ userId, sku, priceMinor, idempotencyKey: sku },
  });
  const bought = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const sale = one.transaction(async (tx) => {
    await buy(tx, rules, wish(second));
    bought.resolve();
    await goOn.promise;
  });
  await bought.promise;
  const other = two.transaction((tx) => buy(tx, rules, wish(first)));
  await untilStuck(arena, [other]);
  goOn.resolve();
  await sale;
  const { kind } = await other;
  return kind === "insufficient-balance" ? undefined : `the second purchase: ${kind}`;
};

/** Nothing has proved for three quarters of a session's time that the process's session lives. */
export const withoutProof: Race = async ({ another, one }) => {
  const held = heldClock();
  const alone = await another(held.clock);
  await one.enqueue([update("first", 1)]);
  const [message] = await claim(alone);
  await one.enqueue([update("second", 2)]);
  held.pass(45_001);
  const begun = [
    (await endOf(step(alone, message))) === "it happened" ? "a step" : [],
    alone.mayBegin() ? "a send" : [],
    (await endOf(claim(alone))) === "it happened" ? "a claim" : [],
  ].flat();
  await alone.kill();
  return begun.length === 0 ? undefined : `begun without proof of life: ${begun}`;
};

/** Time passes also as the test says, and wakes nothing that sleeps, so there is no heartbeat. */
function heldClock() {
  let aheadMs = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
    sleep: (_ms, signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
    timer: () => () => {},
  };
  const pass = (ms: number) => {
    aheadMs += ms;
  };
  return { clock, pass };
}

/** Locks lanes in a session of its own. @returns what lets go of them. */
async function hold({ schema }: Arena, lanes: readonly string[]): Promise<() => Promise<void>> {
  const holder = new pg.Client({ connectionString: await postgresUrl() });
  onTestFinished(() => holder.end());
  await holder.connect();
  await holder.query("BEGIN");
  await holder.query(`SELECT 1 FROM ${schema}.lanes WHERE lane = ANY ($1) FOR UPDATE`, [lanes]);
  return async () => {
    await holder.query("ROLLBACK");
  };
}

/** A process that waits for so long waits for what the race holds. */
const waitingSql = `SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE NOT l.granted AND a.application_name = $1
    AND clock_timestamp() - l.waitstart > interval '20 milliseconds'`;

/** Resolves when each of them has settled or waits for a lock. */
async function untilStuck({ ask, schema }: Arena, works: readonly Promise<unknown>[]) {
  let open = works.length;
  for (const work of works) {
    const settle = () => void open--;
    work.then(settle, settle);
  }
  for (let waiting = 0; open > waiting; ) {
    const [row] = await ask<{ count: string }>(waitingSql, [schema]);
    waiting = Number(row?.count);
  }
}

function endOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "it happened",
    ({ code, message }: { code?: string; message: string }) => code ?? message,
  );
}

/** Gives all messages to this process, as a takeover does. */
async function giveTo({ ask }: Arena, number: number): Promise<void> {
  await ask(`UPDATE lanes SET owner = ${number};
    UPDATE messages SET owner = ${number}, claims = claims + 1`);
}

/** Ends the life of the youngest process, as when it stood still for too long. */
async function endYoungest({ ask }: Arena): Promise<void> {
  await ask(`UPDATE processes SET ended = 'taken-over'
    WHERE number = (SELECT max(number) FROM processes)`);
}
