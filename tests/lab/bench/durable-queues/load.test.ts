import { expect, test } from "vitest";
import type { DurableQueue, Update } from "../../../../lab/bench/durable-queues/durable-queue.ts";
import { Load } from "../../../../lab/bench/durable-queues/load.ts";

/** A queue that sends what `sends` makes of the updates it gets. */
function queueOf(load: Load, sends: (updates: readonly Update[]) => readonly Update[]) {
  const queue: DurableQueue = {
    add: async (updates) => {
      setImmediate(() => {
        for (const update of sends(updates)) load.sent(update);
      });
    },
    close: async () => {},
  };
  return queue;
}

const sound = { unanswered: 0, repeated: 0, disordered: 0 };

test("a queue that answers everything once and in order has no faults", async () => {
  const load = new Load(3);
  const { answered } = await load.fill(
    queueOf(load, (updates) => updates),
    10,
    0.05,
  );
  expect(answered).toBeGreaterThan(10);
  expect(load.faults).toEqual(sound);
});

test("an answer that is repeated is found", async () => {
  const load = new Load(1);
  await load.pace(
    queueOf(load, (updates) => [...updates, ...updates]),
    1_000,
    0.003,
  );
  expect(load.faults.repeated).toBeGreaterThan(0);
});

test("answers of a chat in another order are found", async () => {
  const load = new Load(1);
  await load.fill(
    queueOf(load, (updates) => updates.toReversed()),
    10,
    0.02,
  );
  expect(load.faults.disordered).toBeGreaterThan(0);
});

test("people wait from the instant at which they meant to write", async () => {
  const load = new Load(5);
  const slow: DurableQueue = {
    add: async ([update]) => {
      // The queue stands still for longer than the distance of two updates.
      for (const until = performance.now() + 5; performance.now() < until; );
      load.sent(update as Update);
    },
    close: async () => {},
  };
  const [first = 0, , , last = 0] = await load.pace(slow, 1_000, 0.004);
  expect(first).toBeGreaterThanOrEqual(5);
  expect(last).toBeGreaterThanOrEqual(15);
});
