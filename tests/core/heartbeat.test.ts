/** Heartbeat: when a part counts as overdue. */
import { expect, test } from "vitest";
import { Pulse } from "../../bot/core/heartbeat.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("nothing is overdue before something is expected", async () => {
  const clock = new ManualClock();
  const pulse = new Pulse(clock);
  await clock.advance(1e9);
  expect(pulse.heartbeat).toEqual({ beats: 0, overdueMs: 0 });
});

test("a part is overdue after the time it said, and half a minute", async () => {
  const clock = new ManualClock();
  const pulse = new Pulse(clock);
  pulse.expect(10_000);
  await clock.advance(40_000);
  expect(pulse.heartbeat.overdueMs).toBe(0);
  await clock.advance(5);
  expect(pulse.heartbeat).toEqual({ beats: 0, overdueMs: 5 });
});

test("a beat counts, and sets the next one's time", async () => {
  const clock = new ManualClock();
  const pulse = new Pulse(clock);
  pulse.expect(0);
  await clock.advance(35_000);
  pulse.beat(1_000);
  expect(pulse.heartbeat).toEqual({ beats: 1, overdueMs: 0 });
  pulse.beat(Number.POSITIVE_INFINITY);
  await clock.advance(1e9);
  expect(pulse.heartbeat).toEqual({ beats: 2, overdueMs: 0 });
});
