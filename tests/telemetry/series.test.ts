/** Series: the points and marks of the last hour, bounded. */
import { expect, onTestFinished, test } from "vitest";
import type { MessageRef } from "../../bot/core/events.ts";
import type { SeriesLook, SeriesPoint } from "../../bot/core/series.ts";
import { Series } from "../../bot/telemetry/series.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

const look: SeriesLook = {
  waiting: 1,
  inHand: 2,
  oldestAgeMs: 3,
  deadLetters: 4,
  rssBytes: 5,
  heapUsedBytes: 6,
  loopDelayMs: 7,
  cpuPercent: 8,
};
const update: MessageRef = { messageId: 1, messageType: "update", pool: "handling" };
const send: MessageRef = { messageId: 2, messageType: "send", pool: "sending" };

async function setup() {
  const clock = new ManualClock();
  const points: SeriesPoint[] = [];
  const series = new Series({ clock, look: async () => look, onPoint: (p) => points.push(p) });
  await series.start();
  onTestFinished(() => series.stop());
  const done = (ref: MessageRef, durationMs: number, waitedMs = 0) =>
    series.listener({ type: "message.done", ref, attempts: 1, durationMs, waitedMs });
  return { clock, done, points, series };
}

lifecycleConformance("the series", () => {
  const clock = new ManualClock();
  return { clock, component: new Series({ clock, look: async () => look }) };
});

test("a point counts what happened since the previous one and samples the bot", async () => {
  const { clock, done, points, series } = await setup();
  series.listener({ type: "updates.received", received: 10, duplicates: 0 });
  for (let ms = 1; ms <= 100; ms++) done(update, ms);
  done(send, 20, 80);

  await clock.advance(10_000);

  expect(points).toHaveLength(2);
  const [first, second] = points;
  expect(first).toMatchObject({
    ...look,
    atEpochMs: clock.epochMs() - 5_000,
    receivedPerSecond: 2,
    handledPerSecond: 20,
    sentPerSecond: 0.2,
  });
  // Percentiles are accurate to within 5 %.
  expect(first?.handlingP50Ms).toBeGreaterThanOrEqual(50);
  expect(first?.handlingP50Ms).toBeLessThanOrEqual(50 * 1.06);
  expect(first?.handlingP99Ms).toBeGreaterThanOrEqual(99);
  expect(first?.handlingP99Ms).toBeLessThanOrEqual(99 * 1.06);
  expect(first?.sendingP95Ms).toBeGreaterThanOrEqual(100);
  expect(second).toMatchObject({ receivedPerSecond: 0, handlingP50Ms: null, sendingP95Ms: null });
});

test("an hour of points and two hundred marks are kept, and only new ones are returned", async () => {
  const { clock, series } = await setup();
  for (let time = 0; time < 250; time++) series.mark("incident", `number ${time}`);
  await clock.advance(2 * 3_600_000);

  const { marks, points } = series.since(0);

  expect(points).toHaveLength(720);
  expect(marks).toHaveLength(200);
  expect(marks.at(-1)?.label).toBe("number 249");
  expect(series.since(clock.epochMs() - 10_000).points).toHaveLength(2);
  expect(series.since(clock.epochMs()).points).toEqual([]);
});

test("restarts and breaker changes become marks", async () => {
  const { clock, series } = await setup();
  series.listener({ type: "process.started", previousEnd: "clean" });
  series.listener({ type: "component.restart-begun", component: "polling", cause: "" });
  series.listener({ type: "breaker.closed", afterMs: 1 });

  expect(series.since(0).marks).toEqual([
    { atEpochMs: clock.epochMs(), kind: "restart", label: "process" },
    { atEpochMs: clock.epochMs(), kind: "restart", label: "polling" },
    { atEpochMs: clock.epochMs(), kind: "breaker", label: "breaker.closed" },
  ]);
});

test("means cover only the last minute", async () => {
  const { clock, done, series } = await setup();
  for (let time = 0; time < 600; time++) done(update, 10);
  await clock.advance(60_000);
  expect(series.recent().throughput.handledPerSecond).toBe(10);
  expect(series.recent().latency.handling).toMatchObject({ count: 600 });

  await clock.advance(60_000);

  expect(series.recent().throughput.handledPerSecond).toBe(0);
  expect(series.recent().latency.handling).toEqual({ count: 0, p50: 0, p95: 0, p99: 0 });
});

test("right after the start a mean covers the time since the start", async () => {
  const { clock, done, series } = await setup();
  await clock.advance(2_000);
  for (let time = 0; time < 20; time++) done(send, 10);

  expect(series.recent().throughput.sentPerSecond).toBe(10);
});
