import { expect, test } from "vitest";
import { dueAfterMs, openLoop } from "../../../lab/bench/open-loop.ts";

test("the instants of a schedule have equal distances", () => {
  expect([0, 1, 2, 200].map((index) => dueAfterMs(index, 200))).toEqual([0, 5, 10, 1_000]);
});

test("nobody waits for the answer to another one", async () => {
  const last = Promise.withResolvers<void>();
  const begun: number[] = [];
  await openLoop(5, 1_000, async (index) => {
    begun.push(index);
    if (index === 4) last.resolve();
    await last.promise;
  });
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test("whoever is called late is told the instant that was meant", async () => {
  const meantMs: number[] = [];
  await openLoop(4, 1_000, async (_, intendedAtMs) => {
    meantMs.push(intendedAtMs);
    // This process is busy for longer than the distance of two instants.
    for (const until = performance.now() + 5; performance.now() < until; );
  });
  const distances = meantMs.slice(1).map((ms, index) => ms - (meantMs[index] ?? 0));
  for (const distance of distances) expect(distance).toBeCloseTo(1, 3);
});

test("a call that fails fails the loop", async () => {
  const failing = openLoop(2, 1_000, async (index) => {
    if (index === 0) throw new Error("the sandbox is gone");
  });
  await expect(failing).rejects.toThrow("the sandbox is gone");
});
