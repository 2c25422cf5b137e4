/** Loop: one run, waits that can be ended, and a stop that is always safe. */
import { describe, expect, test } from "vitest";
import { Loop } from "../../bot/core/loop.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";

/** A loop that waits 10 s between turns; a turn takes `turnMs`, however often it is woken. */
function setup(turnMs = 0) {
  const clock = new ManualClock();
  const turnsAtMs: number[] = [];
  const never = new AbortController().signal;
  const loop = new Loop(clock, async () => {
    do {
      turnsAtMs.push(clock.monotonicMs());
      if (turnMs > 0) await clock.sleep(turnMs, never);
    } while (await loop.wait(10_000));
  });
  return { clock, loop, turnsAtMs };
}

describe("its life", () => {
  test("it takes turns until it is stopped", async () => {
    const { clock, loop, turnsAtMs } = setup();
    loop.start();
    await clock.advance(25_000);
    await loop.stop();
    await clock.advance(60_000);
    expect(turnsAtMs).toEqual([0, 10_000, 20_000]);
    expect(clock.pending).toBe(0);
  });

  test("started twice, it runs once", async () => {
    const { clock, loop, turnsAtMs } = setup();
    loop.start();
    loop.start();
    await clock.advance(10_000);
    expect(turnsAtMs).toEqual([0, 10_000]);
    await loop.stop();
  });

  test("stopped before it was started, it never runs", async () => {
    const { clock, loop, turnsAtMs } = setup();
    await loop.stop();
    loop.start();
    await clock.advance(60_000);
    expect(turnsAtMs).toEqual([]);
    expect(loop.stopped).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("stopping twice, and several times at once, is harmless", async () => {
    const { loop } = setup();
    loop.start();
    await Promise.all([loop.stop(), loop.stop()]);
    await loop.stop();
    expect(loop.signal.aborted).toBe(true);
  });

  test("a stop during a turn waits for its end, and no other turn follows", async () => {
    const { clock, loop, turnsAtMs } = setup(3_000);
    loop.start();
    await clock.advance(1_000);
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await clock.advance(1_000);
    expect(stopped).toBe(false);
    await clock.advance(1_000);
    await stopping;
    expect(turnsAtMs).toEqual([0]);
  });

  test("after a stop no wait takes any time, however many there are", async () => {
    const clock = new ManualClock();
    const answers: boolean[] = [];
    const loop = new Loop(clock, async () => {
      for (let waits = 0; waits < 3; waits++) answers.push(await loop.wait(10_000));
      answers.push(await loop.pause(10_000));
    });
    loop.start();
    await loop.stop();
    expect(answers).toEqual([false, false, false, false]);
  });

  test("it may end by itself", async () => {
    const clock = new ManualClock();
    const loop = new Loop(clock, async () => {});
    loop.start();
    await clock.advance(1e9);
    expect(loop.heartbeat.overdueMs).toBe(0);
    await loop.stop();
  });
});

describe("a wake", () => {
  test("ends the wait, and the next wait is a whole one", async () => {
    const { clock, loop, turnsAtMs } = setup();
    loop.start();
    await clock.advance(4_000);
    loop.wake();
    await clock.advance(15_000);
    expect(turnsAtMs).toEqual([0, 4_000, 14_000]);
    await loop.stop();
  });

  test("during a turn is not lost", async () => {
    const { clock, loop, turnsAtMs } = setup(1_000);
    loop.start();
    await clock.advance(500);
    loop.wake();
    loop.wake();
    await clock.advance(9_000);
    expect(turnsAtMs).toEqual([0, 1_000]);
    await loop.stop();
  });

  test("before the start is not lost", async () => {
    const { clock, loop, turnsAtMs } = setup();
    loop.wake();
    loop.start();
    await clock.advance(1);
    expect(turnsAtMs).toEqual([0, 0]);
    await loop.stop();
  });

  test("after the stop is harmless", async () => {
    const { clock, loop, turnsAtMs } = setup();
    loop.start();
    await loop.stop();
    loop.wake();
    await clock.advance(60_000);
    expect(turnsAtMs).toEqual([0]);
  });

  test("ends a wait for ever", async () => {
    const clock = new ManualClock();
    let turns = 0;
    const loop = new Loop(clock, async () => {
      while (await loop.wait(Number.POSITIVE_INFINITY)) turns++;
    });
    loop.start();
    await clock.advance(1e9);
    expect(turns).toBe(0);
    loop.wake();
    await settle();
    expect(turns).toBe(1);
    await loop.stop();
  });

  test("does not shorten a pause; the next wait ends at once instead", async () => {
    const clock = new ManualClock();
    const atMs: number[] = [];
    const loop = new Loop(clock, async () => {
      await loop.pause(5_000);
      atMs.push(clock.monotonicMs());
      await loop.wait(10_000);
      atMs.push(clock.monotonicMs());
    });
    loop.start();
    await clock.advance(1_000);
    loop.wake();
    await clock.advance(4_000);
    expect(atMs).toEqual([5_000, 5_000]);
    await loop.stop();
  });
});

describe("its heartbeat", () => {
  test("has no beats before the start, and is not overdue", async () => {
    const { clock, loop } = setup();
    await clock.advance(1e9);
    expect(loop.heartbeat).toEqual({ beats: 0, overdueMs: 0 });
  });

  test("beats once per wait", async () => {
    const { clock, loop } = setup();
    loop.start();
    await clock.advance(25_000);
    expect(loop.heartbeat).toEqual({ beats: 3, overdueMs: 0 });
    await loop.stop();
  });

  test("is overdue when a turn does not come back, and no longer once it has", async () => {
    const { clock, loop } = setup(90_000);
    loop.start();
    await clock.advance(31_000);
    expect(loop.heartbeat).toEqual({ beats: 0, overdueMs: 1_000 });
    await clock.advance(60_000);
    expect(loop.heartbeat).toEqual({ beats: 1, overdueMs: 0 });
    const stopping = loop.stop();
    await clock.advance(90_000);
    await stopping;
  });

  test("is never overdue during a wait, however long", async () => {
    const clock = new ManualClock();
    const loop = new Loop(clock, async () => {
      await loop.wait(86_400_000);
    });
    loop.start();
    await clock.advance(86_399_000);
    expect(loop.heartbeat.overdueMs).toBe(0);
    await loop.stop();
    await clock.advance(1e9);
    expect(loop.heartbeat.overdueMs).toBe(0);
  });

  test("gives a turn the time it asks for, and counts a beat within it", async () => {
    const clock = new ManualClock();
    const loop = new Loop(clock, async () => {
      loop.expect(60_000);
      await clock.sleep(80_000, loop.signal);
      loop.beat();
      await clock.sleep(80_000, loop.signal);
    });
    loop.start();
    await clock.advance(79_000);
    expect(loop.heartbeat).toEqual({ beats: 0, overdueMs: 0 });
    await clock.advance(32_000);
    expect(loop.heartbeat).toEqual({ beats: 1, overdueMs: 1_000 });
    await loop.stop();
  });
});

test("what a turn throws is a defect: unhandled, overdue, and no matter for the stop", async () => {
  const clock = new ManualClock();
  const unhandled: unknown[] = [];
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => unhandled.push(reason));
  const defect = new Error("a defect");
  const loop = new Loop(clock, async () => {
    throw defect;
  });
  loop.start();
  await settle();
  await clock.advance(31_000);
  process.removeAllListeners("unhandledRejection");
  for (const listener of others) process.on("unhandledRejection", listener);
  expect(unhandled).toEqual([defect]);
  expect(loop.heartbeat.overdueMs).toBe(1_000);
  await expect(loop.stop()).resolves.toBeUndefined();
});
