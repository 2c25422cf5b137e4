/** Worker pool: what is ready is claimed, and only a hold can keep it back. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type BotError,
  StorageFullError,
  StorageSessionLostError,
} from "../../../bot/core/errors.ts";
import { Holds } from "../../../bot/core/holds.ts";
import type { Message } from "../../../bot/core/message.ts";
import type { ClaimRequest, QueueStore } from "../../../bot/core/store.ts";
import type { Slot } from "../../../bot/utils/message-queue/slot.ts";
import { WorkerPool } from "../../../bot/utils/message-queue/worker-pool.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** A pool over so many ready heads, whose work never ends; `urgent` of them, of high priority, are behind. */
function setup(
  ready: number,
  concurrency: number,
  {
    claimsPerSlot = 1,
    reserved = 0,
    urgent = 0,
    broken = () => undefined as Error | undefined,
  } = {},
) {
  const clock = new ManualClock();
  const holds = new Holds(clock);
  let claimed = 0;
  const begun: { readonly id: number; readonly slot: Slot; readonly end: () => void }[] = [];
  const givenBack: number[] = [];
  const told: { readonly error: unknown; readonly retryInMs: number }[] = [];
  const store = {
    claim: async ({ atLeast, limit, suspects }: ClaimRequest) => {
      const error = broken();
      if (error) throw error;
      if (suspects === "only") return [];
      const left = ready - claimed;
      const taken = Math.min(limit, atLeast === "high" ? Math.min(urgent, left) : left);
      const messages = Array.from({ length: taken }, (_, index) => ({ id: claimed + index + 1 }));
      claimed += taken;
      return messages as unknown as Message[];
    },
    nextAvailableAtEpochMs: async () => {
      const error = broken();
      if (error) throw error;
      return claimed < ready ? 0 : undefined;
    },
  } as unknown as QueueStore;
  const pool = new WorkerPool(
    {
      pool: "handling",
      clock,
      random: () => 0.999,
      now: () => clock.epochMs(),
      store,
      concurrency,
      claimsPerSlot,
      reserved,
      holds,
      work: ({ id }, slot) => new Promise((end) => begun.push({ id, slot, end })),
      giveBack: async ({ id }) => {
        givenBack.push(id);
      },
      onClaimFailed: ({ again, error, retryInMs }) => {
        if (!again) told.push({ error, retryInMs });
      },
    },
    false,
  );
  return { begun, clock, claimed: () => claimed, givenBack, holds, pool, told };
}

const limits = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 4 });

test("as much is worked on at a time as the strictest hold allows, and everything ready without one", () =>
  fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 30 }),
      fc.integer({ min: 1, max: 10 }),
      limits,
      async (ready, concurrency, allowed) => {
        const { claimed, clock, holds, pool } = setup(ready, concurrency);
        const kinds = ["safe-mode", "paused", "sending-full", "draining"] as const;
        let lifted = false;
        allowed.forEach((limit, index) => {
          const look = () => (lifted ? undefined : { limit, sinceMs: 0, reason: "r" });
          holds.add({ kind: kinds[index] ?? "paused", targets: ["handling"], look });
        });
        pool.start();
        await clock.advance(1_000);
        expect(claimed()).toBe(Math.min(ready, concurrency, ...allowed));
        lifted = true;
        await clock.advance(250);
        expect(claimed()).toBe(Math.min(ready, concurrency));
        await pool.stopClaiming();
      },
    ),
    { numRuns: 100 },
  ));

test.each([
  [Number.POSITIVE_INFINITY, 5],
  [4, 4],
  [2, 2],
  [0, 0],
])(
  "with a hold of %d, three places and two reserved ones hold %d messages",
  async (limit, held) => {
    const { claimed, clock, holds, pool } = setup(9, 3, { reserved: 2, urgent: 9 });
    holds.add({
      kind: "safe-mode",
      targets: ["handling"],
      look: () => ({ limit, sinceMs: 0, reason: "r" }),
    });
    pool.start();
    await clock.advance(1_000);
    expect(claimed()).toBe(held);
    await pool.stopClaiming();
  },
);

test("a device of another pool, or one that only tells, keeps nothing back", async () => {
  const { claimed, clock, holds, pool } = setup(3, 10);
  const look = () => ({ limit: 0, sinceMs: 0, reason: "r" });
  holds.add({ kind: "paused", targets: ["sending", "intake"], look });
  holds.add({ kind: "disk-full", targets: ["handling"], advisory: true, look });
  pool.start();
  await clock.advance(0);
  expect(claimed()).toBe(3);
  await pool.stopClaiming();
});

const ids = (messages: readonly { readonly id: number }[]) => messages.map(({ id }) => id);

test("messages beyond the slots are claimed as well, and begin as slots become free", async () => {
  const { begun, claimed, clock, pool } = setup(9, 2, { claimsPerSlot: 3 });
  pool.start();
  await clock.advance(1_000);
  expect([claimed(), pool.waiting, ids(begun)]).toEqual([6, 4, [1, 2]]);
  begun[0]?.end();
  await clock.advance(0);
  // One more is claimed for the one that has ended.
  expect([claimed(), pool.waiting, ids(begun)]).toEqual([7, 4, [1, 2, 3]]);
  void begun[1]?.slot.whileWaiting(() => new Promise(() => {}));
  await clock.advance(0);
  expect([claimed(), pool.waiting, ids(begun)]).toEqual([7, 3, [1, 2, 3, 4]]);
});

test("what waits for a slot is given back when a hold has come, and what has begun goes on", async () => {
  const { begun, claimed, clock, givenBack, holds, pool } = setup(9, 2, { claimsPerSlot: 3 });
  let paused = false;
  const look = () => (paused ? { limit: 0, sinceMs: 0, reason: "r" } : undefined);
  holds.add({ kind: "paused", targets: ["handling"], look });
  pool.start();
  await clock.advance(1_000);
  paused = true;
  begun[0]?.end();
  await clock.advance(0);
  expect([claimed(), pool.waiting, ids(begun)]).toEqual([6, 0, [1, 2]]);
  expect(givenBack).toEqual([3, 4, 5, 6]);
  expect(pool.inHand.map(({ id }) => id)).toEqual([2]);
});

test("a pool that stops gives back what has not begun, and begins nothing more", async () => {
  const { begun, clock, givenBack, pool } = setup(9, 2, { claimsPerSlot: 3 });
  pool.start();
  await clock.advance(1_000);
  await pool.stopClaiming();
  expect(givenBack).toEqual([3, 4, 5, 6]);
  for (const { end } of begun) end();
  await clock.advance(0);
  expect(ids(begun)).toEqual([1, 2]);
  expect(pool.inHand).toEqual([]);
});

test("an outage of the store is told once per pool and reason, and its end is noticed within a second", async () => {
  const lost = new StorageSessionLostError("the database is away");
  const full = new StorageFullError("the disk is full");
  let error: BotError | undefined = lost;
  let asked = 0;
  const broken = () => {
    asked++;
    return error;
  };
  const { claimed, clock, pool, told } = setup(1, 10, { broken });
  pool.start();
  await clock.advance(60_000);
  expect(told).toEqual([{ error: lost, retryInMs: expect.any(Number) }]);
  expect(asked).toBeLessThan(65);
  error = full;
  await clock.advance(10_000);
  expect(told.map((each) => each.error)).toEqual([lost, full]);
  error = undefined;
  await clock.advance(1_001);
  expect(claimed()).toBe(1);
  await pool.stopClaiming();
});

test("a second outage is told again, even if there was nothing to claim in between", async () => {
  let error: BotError | undefined = new StorageSessionLostError("the database is away");
  const { clock, pool, told } = setup(0, 10, { broken: () => error });
  pool.start();
  pool.workSubmitted();
  await clock.advance(5_000);
  error = undefined;
  await clock.advance(1_001);
  error = new StorageSessionLostError("the database is away again");
  pool.workSubmitted();
  await clock.advance(5_000);
  expect(told).toHaveLength(2);
  await pool.stopClaiming();
});

test("the pool is the only code that claims, and nothing but holds and the pace can keep it from that", () => {
  const root = new URL("../../../bot/", import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  const text = (name: string) => readFileSync(new URL(name, root), "utf8");
  const claiming = files.filter((name) => /\bstore\.claim\(/.test(text(name)));
  expect(claiming).toEqual(["utils/message-queue/worker-pool.ts"]);
  const [, deps = ""] =
    /interface WorkerPoolDeps \{([\s\S]*?)\n\}/.exec(text(claiming[0] ?? "")) ?? [];
  const names = [...deps.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
  expect(names.sort()).toEqual(
    [
      "claimsPerSlot",
      "clock",
      "concurrency",
      "gate",
      "giveBack",
      "holds",
      "now",
      "onClaimFailed",
      "pool",
      "random",
      "reserved",
      "store",
      "work",
    ].sort(),
  );
});
