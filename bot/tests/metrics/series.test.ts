/** Series: a point every five seconds, for an hour. */
import { expect, onTestFinished, test } from "vitest";
import { type Look, type Point, Series } from "../../metrics/series.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

const calm: Look = {
  waiting: 1,
  inHand: 2,
  oldestAgeMs: 3,
  deadLetters: 4,
  rssBytes: 5,
  heapUsedBytes: 6,
  loopDelayMs: 7,
  cpuPercent: 8,
};

function setup() {
  const clock = new ManualClock();
  const points: Point[] = [];
  const onPoint = (point: Point) => void points.push(point);
  const series = new Series({ clock, look: async () => calm, onPoint });
  onTestFinished(() => series.stop());
  return { clock, points, series };
}

lifecycleConformance("the series", () => {
  const { clock, series } = setup();
  return { clock, component: series };
});

test("each point has what was looked at and what was counted since the one before", async () => {
  const { clock, points, series } = setup();
  await series.start();
  const before = points.length;
  series.listener({ type: "updates.received", received: 50, duplicates: 0 });
  await clock.advance(10_000);
  const [first, second] = points.slice(before).filter((point) => point.atEpochMs > 0);
  expect(points.slice(before).length).toBeGreaterThanOrEqual(2);
  expect(first).toMatchObject({ ...calm, receivedPerSecond: 10 });
  expect(second).toMatchObject({ ...calm, receivedPerSecond: 0 });
});

test("an hour of points is kept, and no more", async () => {
  const { clock, series } = setup();
  await series.start();
  await clock.advance(2 * 3_600_000);
  expect(series.since(0).points).toHaveLength(720);
});

test("marks are bounded, and those before an instant are not given", async () => {
  const { clock, series } = setup();
  for (let n = 0; n < 300; n++) series.mark("incident", `${n}`);
  expect(series.since(0).marks).toHaveLength(200);
  expect(series.since(0).marks.at(-1)?.label).toBe("299");
  expect(series.since(clock.epochMs()).marks).toEqual([]);
});
