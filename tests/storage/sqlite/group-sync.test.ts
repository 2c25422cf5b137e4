/** Group sync: tests which sync tells whom, and what a failed one leaves. */
import { expect, test } from "vitest";
import { GroupSync } from "../../../bot/storage/sqlite/group-sync.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const syncs: PromiseWithResolvers<void>[] = [];
  const deferred: (() => void)[] = [];
  const told: string[] = [];
  const group = new GroupSync({
    clock,
    sync: () => {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      return sync.promise;
    },
    failed: (error) => told.push(`the storage: ${String(error)}`),
    defer: (work) => deferred.push(work),
  });
  return {
    clock,
    group,
    syncs,
    told,
    add: (name: string, wanted: "now" | "shared") =>
      group.add(
        { durable: () => told.push(name), failed: (error) => told.push(`${name}: ${error}`) },
        wanted,
      ),
    /** One turn of the event loop. */
    turn: () => {
      for (const work of deferred.splice(0)) work();
    },
    end: async (index: number) => {
      syncs[index]?.resolve();
      await settle();
    },
  };
}

test("a commit is told after a sync that began after it, and one sync tells all that came before", async () => {
  const { add, end, syncs, told } = setup();
  add("a", "now");
  add("b", "now");
  add("c", "now");
  expect(syncs).toHaveLength(1);
  await end(0);
  expect(told).toEqual(["a"]);
  expect(syncs).toHaveLength(2);
  await end(1);
  expect(told).toEqual(["a", "b", "c"]);
  expect(syncs).toHaveLength(2);
});

test("one that shares goes with the sync of the next commit, and has none of its own", async () => {
  const { add, end, syncs, told, turn } = setup();
  add("update", "shared");
  turn();
  expect(syncs).toHaveLength(0);
  add("reply", "now");
  expect(syncs).toHaveLength(1);
  await end(0);
  expect(told).toEqual(["update", "reply"]);
  for (let n = 0; n < 5; n++) turn();
  expect(syncs).toHaveLength(1);
});

test("when no other commit comes within three turns, one that shares is synced alone", async () => {
  const { add, end, syncs, told, turn } = setup();
  add("update", "shared");
  turn();
  turn();
  expect(syncs).toHaveLength(0);
  turn();
  expect(syncs).toHaveLength(1);
  await end(0);
  expect(told).toEqual(["update"]);
});

test("one that shares while a sync runs is not told by it", async () => {
  const { add, end, syncs, told, turn } = setup();
  add("a", "now");
  add("b", "shared");
  await end(0);
  expect(told).toEqual(["a"]);
  for (let n = 0; n < 3; n++) turn();
  expect(syncs).toHaveLength(2);
  await end(1);
  expect(told).toEqual(["a", "b"]);
});

test("after a failed sync nothing counts as durable any more, because the next would succeed without its pages", async () => {
  const { add, group, syncs, told } = setup();
  add("a", "now");
  add("b", "now");
  syncs[0]?.reject("failed");
  await settle();
  add("c", "now");
  await settle();
  expect(syncs).toHaveLength(1);
  expect(told.filter((line) => !line.startsWith("the storage"))).toEqual([
    "a: failed",
    "b: failed",
    "c: failed",
  ]);
  expect(told[0]).toBe("the storage: failed");
  expect(group.idle).toBe(true);
});

test("its end waits for all that was committed, also for what shares", async () => {
  const { add, end, group, told } = setup();
  add("a", "now");
  add("b", "shared");
  let finished = false;
  const finishing = group.finish().then(() => {
    finished = true;
  });
  await end(0);
  expect(finished).toBe(false);
  await end(1);
  await finishing;
  expect(told).toEqual(["a", "b"]);
});

test("a sync that does not end is overdue, however much is committed meanwhile; an idle one is not", async () => {
  const { add, clock, end, group } = setup();
  await clock.advance(3_600_000);
  expect(group.heartbeat).toEqual({ beats: 0, overdueMs: 0 });
  add("a", "now");
  for (let n = 0; n < 60; n++) {
    await clock.advance(1_000);
    add("more", "now");
  }
  expect(group.heartbeat.overdueMs).toBeGreaterThan(0);
  await end(0);
  await end(1);
  await clock.advance(3_600_000);
  expect(group.heartbeat).toEqual({ beats: 2, overdueMs: 0 });
});
