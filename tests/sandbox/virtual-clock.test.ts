import { expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../../sandbox/virtual-clock.ts";

function setup(frozen = true) {
  const clock = new VirtualClock(frozen);
  onTestFinished(() => clock.stop());
  const startMs = clock.monotonicMs();
  const rung: string[] = [];
  const ring = (name: string, delayMs: number) =>
    clock.schedule(delayMs, () =>
      rung.push(`${name}@${Math.round(clock.monotonicMs() - startMs)}`),
    );
  return { clock, rung, ring };
}

test("timers that fall due on the way run in order, each at its own instant", () => {
  const { clock, rung, ring } = setup();
  ring("late", 300);
  ring("early", 100);
  ring("never", 1_001);
  clock.advance(1_000);
  expect(rung).toEqual(["early@100", "late@300"]);
});

test("a timer that schedules another is followed", () => {
  const { clock, rung, ring } = setup();
  clock.schedule(100, () => ring("second", 50));
  clock.advance(149);
  expect(rung).toEqual([]);
  clock.advance(1);
  expect(rung).toEqual(["second@150"]);
});

test("a timer that was called off does not run", () => {
  const { clock, rung, ring } = setup();
  ring("off", 10)();
  clock.advance(100);
  expect(rung).toEqual([]);
});

test("both times move by what was advanced", () => {
  const { clock } = setup();
  const before = { epochMs: clock.epochMs(), monotonicMs: clock.monotonicMs() };
  clock.advance(86_400_000);
  expect(clock.epochMs() - before.epochMs).toBe(86_400_000);
  expect(clock.monotonicMs() - before.monotonicMs).toBe(86_400_000);
});

test("an unfrozen clock runs by itself and can be advanced past a timer", async () => {
  const { clock } = setup(false);
  await clock.sleep(5);
  const sleeping = clock.sleep(60_000);
  clock.advance(60_000);
  await sleeping;
});
