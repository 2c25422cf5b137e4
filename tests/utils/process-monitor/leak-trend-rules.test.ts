/** Leak trend: tests synthetic heaps whose right verdict is known. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideLeak, type HeapPoint } from "../../../bot/utils/process-monitor/leak-trend-rules.ts";
import { seededRandom } from "../../../lab/simulation/seeded-random.ts";

const mb = 1024 * 1024;
const limit = 512 * mb;
const minute = 60_000;

/** Returns one point every three minutes. */
function heap(points: number, usedMb: (index: number) => number): HeapPoint[] {
  return Array.from({ length: points }, (_, index) => ({
    atMs: index * 3 * minute,
    usedBytes: usedMb(index) * mb,
  }));
}

const noise = (seed: number, spreadMb: number) => {
  const random = seededRandom(seed);
  return () => (random() - 0.5) * 2 * spreadMb;
};

describe("a heap that", () => {
  const jitter = noise(1, 8);
  test.for<{ title: string; points: HeapPoint[]; kind: string }>([
    { title: "was seen too rarely", points: heap(11, (n) => 100 + 10 * n), kind: "unknown" },
    {
      title: "was seen for too short a time",
      points: heap(40, (n) => 100 + n).map((point) => ({ ...point, atMs: point.atMs / 100 })),
      kind: "unknown",
    },
    { title: "is flat", points: heap(40, () => 100), kind: "steady" },
    { title: "is flat but noisy", points: heap(40, () => 100 + jitter()), kind: "steady" },
    { title: "falls", points: heap(40, (n) => 300 - n), kind: "steady" },
    {
      title: "fills a cache and stays",
      points: heap(60, (n) => 100 + 100 * (1 - 0.8 ** n) + jitter()),
      kind: "steady",
    },
    {
      title: "grows too slowly to matter",
      points: heap(40, (n) => 100 + n * 0.01),
      kind: "steady",
    },
    {
      title: "grows by 20 MB an hour",
      points: heap(40, (n) => 100 + n + jitter() / 4),
      kind: "growing",
    },
    { title: "grows by 400 MB an hour", points: heap(14, (n) => 100 + 20 * n), kind: "leaking" },
    { title: "is over the limit and grows", points: heap(20, (n) => 520 + n), kind: "leaking" },
  ])("$title", ({ kind, points }) => {
    expect(decideLeak(points, limit).kind).toBe(kind);
  });
});

test("one outlier does not distort the projection", () => {
  const spike = heap(40, (n) => (n === 20 ? 480 : 100 + n));
  const verdict = decideLeak(spike, limit);
  if (verdict.kind !== "growing") throw new Error(verdict.kind);
  expect(verdict.hoursToLimit).toBeGreaterThan(17);
  expect(verdict.hoursToLimit).toBeLessThan(20);
});

test("noise alone is rarely called a leak", () => {
  let alarms = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
      const shake = noise(seed, 20);
      if (
        !["steady", "unknown"].includes(
          decideLeak(
            heap(40, () => 200 + shake()),
            limit,
          ).kind,
        )
      )
        alarms++;
    }),
    { numRuns: 500, seed: 7 },
  );
  expect(alarms).toBeLessThanOrEqual(15);
});
