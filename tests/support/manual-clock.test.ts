import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

const never = new AbortController().signal;

test("sleepers wake in the order of their due times, each at its own time", async () => {
  const clock = new ManualClock();
  const woken: [string, number][] = [];
  const sleeper = async (name: string, delayMs: number) => {
    await clock.sleep(delayMs, never);
    woken.push([name, clock.monotonicMs()]);
  };
  void sleeper("late", 20);
  void sleeper("early", 10).then(() => sleeper("nested", 5));

  await clock.advance(30);

  expect(woken).toEqual([
    ["early", 10],
    ["nested", 15],
    ["late", 20],
  ]);
  expect(clock.monotonicMs()).toBe(30);
});

test("work that a sleeper queues by setImmediate settles before the next sleeper wakes", async () => {
  const clock = new ManualClock();
  const order: string[] = [];
  const hop = (name: string, hops: number) => {
    if (hops === 0) order.push(name);
    else setImmediate(() => void Promise.resolve().then(() => hop(name, hops - 1)));
  };
  void clock.sleep(1, never).then(() => hop("first", 50));
  void clock.sleep(2, never).then(() => hop("second", 1));

  await clock.advance(2);

  expect(order).toEqual(["first", "second"]);
});

test("an aborted sleeper wakes at once and is forgotten", async () => {
  const clock = new ManualClock();
  const stopping = new AbortController();
  const asleep = clock.sleep(1_000, stopping.signal);
  expect(clock.pending).toBe(1);

  stopping.abort();
  await asleep;

  expect(clock.pending).toBe(0);
  expect(clock.monotonicMs()).toBe(0);
  await clock.sleep(1_000, stopping.signal);
});

test("a jump of the wall clock wakes no sleeper", async () => {
  const clock = new ManualClock(1_000);
  void clock.sleep(10, never);

  clock.jumpEpoch(-500);
  await clock.advance(5);

  expect(clock.epochMs()).toBe(505);
  expect(clock.pending).toBe(1);
});

test("a loop that sleeps 0 ms forever is reported", async () => {
  const clock = new ManualClock();
  const stopping = new AbortController();
  const loop = async () => {
    while (!stopping.signal.aborted) await clock.sleep(0, stopping.signal);
  };
  const looping = loop();

  await expect(clock.advance(1)).rejects.toThrow("forever");

  stopping.abort();
  await looping;
});
