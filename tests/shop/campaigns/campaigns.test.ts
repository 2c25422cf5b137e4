/** Campaigns: who is written to, and that it happens once under any history of deaths. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Segment } from "../../../bot/shop/campaigns/campaign-tables.ts";
import { batchOf, chooseSegment, draft, sumOf } from "../../../bot/shop/campaigns/campaigns.ts";
import { countPeople, peopleAfter } from "../../../bot/shop/campaigns/segments.ts";
import { chooseLanguage, setBlocked } from "../../../bot/shop/people/standing.ts";
import { shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { batch, bossId, CampaignWorld } from "./campaign-setup.ts";

const dayMs = 86_400_000;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

async function setup(people: number, segment: Segment = "all") {
  const world = new CampaignWorld();
  await world.join(numbers(people));
  const id = (await world.transaction((tx) => draft(tx, bossId, { text: "Hello" }))) ?? 0;
  const expected = await countPeople(world.read, segment, world.nowEpochMs);
  await world.transaction((tx) => chooseSegment(tx, id, segment, expected));
  return { id, world };
}

async function finish(world: CampaignWorld, id: number) {
  for (let turn = 0; turn < 50; turn++) {
    await world.turn(id);
    world.deliver("sent", true);
  }
  return world.campaign(id);
}

test("a draft is written to nobody, and a campaign that is done takes no more turns", async () => {
  const { id, world } = await setup(3);
  await world.turn(id);
  expect(world.waiting).toBe(0);
  expect(await world.act(id, "pause")).toBeUndefined();
  await world.act(id, "go");
  expect(await world.act(id, "go")).toBeUndefined();
  expect(await finish(world, id)).toMatchObject({ state: "done", counts: { sent: 3 } });
  expect(world.written).toEqual([1, 2, 3]);
  expect(await world.act(id, "cancel")).toBeUndefined();
});

test("outcomes are counted by kind, and what nothing is known of any more is said to be unclear", async () => {
  const { id, world } = await setup(6);
  await world.act(id, "go");
  await world.turn(id);
  for (const outcome of ["blocked", "gone", "failed", "sent"] as const) {
    world.claim();
    world.deliver(outcome);
  }
  world.forget();
  const done = await finish(world, id);
  expect(done.counts).toEqual({ sent: 2, blocked: 1, gone: 1, failed: 1, unclear: 1 });
  expect(done.expected).toBe(6);
});

test("a pause takes what waits out of the queue, and the same people are written to afterwards", async () => {
  const { id, world } = await setup(6);
  await world.act(id, "go");
  await world.turn(id);
  world.claim();
  expect(world.waiting).toBe(4);
  await world.act(id, "pause");
  expect(world.waiting).toBe(1);
  await world.turn(id);
  world.deliver("sent");
  await world.turn(id);
  expect(world.waiting).toBe(0);
  expect(await world.campaign(id)).toMatchObject({ state: "paused", counts: { sent: 1 } });
  await world.act(id, "resume");
  expect(await finish(world, id)).toMatchObject({ state: "done", counts: { sent: 6 } });
  expect(world.written.toSorted()).toEqual(numbers(6));
});

test("a cancelled campaign takes everything away, and counts what was in hand", async () => {
  const { id, world } = await setup(6);
  await world.act(id, "go");
  await world.turn(id);
  world.claim();
  await world.act(id, "cancel");
  expect(world.waiting).toBe(1);
  expect(await finish(world, id)).toMatchObject({ state: "cancelled", counts: { sent: 1 } });
  expect(world.written).toEqual([1]);
});

test("who joins after the beginning, or is blocked by an administrator, is not written to", async () => {
  const { id, world } = await setup(3);
  await world.transaction((tx) => setBlocked(tx, 2, true));
  await world.act(id, "go");
  world.nowEpochMs += 1_000;
  await world.join([50]);
  await finish(world, id);
  expect(world.written).toEqual([1, 3]);
});

test("a segment is chosen by language, purchases, or what happened lately", async () => {
  const world = new CampaignWorld();
  await world.join([1, 2], "zh-hans");
  await world.join([3, 4], "de");
  world.nowEpochMs += 20 * dayMs;
  await world.join([5], "en");
  const { nowEpochMs } = world;
  await world.transaction(async (tx) => {
    await chooseLanguage(tx, 2, "en");
    const at = { createdAtEpochMs: nowEpochMs };
    const entry = { amountMinor: 5, kind: "topup", reference: "r", ...at } as const;
    await tx.tables(shopTables).appendLedgerEntry({ userId: 1, ...entry });
    const wish = { sku: "mug", priceMinor: 1, ...at };
    await tx.tables(shopTables).insertOrder({ userId: 3, idempotencyKey: "a", ...wish });
    await tx.tables(shopTables).insertOrder({ userId: 4, idempotencyKey: "b", ...wish });
    await tx.tables(shopTables).cancelOrder(2, nowEpochMs);
  });
  const people = (segment: Segment) =>
    world.read(async (tx) => (await peopleAfter(tx, segment, nowEpochMs, 0, 100)).userIds);
  expect(await people("all")).toEqual([1, 2, 3, 4, 5]);
  expect(await people("zh")).toEqual([1]);
  expect(await people("en")).toEqual([2, 3, 4, 5]);
  expect(await people("bought")).toEqual([3]);
  expect(await people("active7")).toEqual([1, 5]);
  expect(await people("active30")).toEqual([1, 2, 3, 4, 5]);
});

test.each([
  [1, 200],
  [30, 200],
  [100, 400],
  [1_000, 1_000],
])("at %d messages per second, at most %d messages wait", (rate, most) => {
  expect(batchOf(rate)).toBe(most);
});

const death = fc.constantFrom(undefined, "lost", "kept");
const outcome = fc.constantFrom("sent", "blocked", "gone", "failed");
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("turn" as const), death }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("claim" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("deliver" as const), outcome }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("act" as const),
      what: fc.constantFrom("pause", "resume", "look"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const) }) },
);
const histories = fc.array(operation, { maxLength: 60 });

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

async function live(world: CampaignWorld, id: number, history: readonly Operation[]) {
  for (const op of history) {
    if (op.kind === "turn") await world.turn(id, op.death);
    else if (op.kind === "claim") world.claim();
    else if (op.kind === "deliver") world.deliver(op.outcome);
    else if (op.kind === "act") await world.act(id, op.what);
    else world.nowEpochMs += 5_000;
    expect(world.waiting).toBeLessThanOrEqual(batch);
  }
}

test("everybody is written to exactly once, whatever dies and whoever pauses", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 15 }), histories, async (people, ops) => {
      const { id, world } = await setup(people);
      await world.act(id, "go");
      await live(world, id, ops);
      await world.act(id, "resume");
      const { counts, state } = await finish(world, id);
      expect(state).toBe("done");
      expect(world.written.toSorted((a, b) => a - b)).toEqual(numbers(people));
      expect(sumOf(counts)).toBe(people);
      expect(counts.unclear).toBe(0);
    }),
    { numRuns: 150 },
  );
});

test("after a cancellation nobody is written to twice, and the others are counted as not reached", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 15 }), histories, async (people, ops) => {
      const { id, world } = await setup(people);
      await world.act(id, "go");
      await live(world, id, ops);
      const cancelled = await world.act(id, "cancel");
      const { counts, expected, state } = await finish(world, id);
      expect(state).toBe(cancelled ? "cancelled" : "done");
      expect(new Set(world.written).size).toBe(world.written.length);
      expect(sumOf(counts)).toBe(world.written.length);
      expect(expected).toBe(people);
      expect(world.waiting).toBe(0);
    }),
    { numRuns: 150 },
  );
});
