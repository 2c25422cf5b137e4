/** Process monitor: tests which figures lead to a restart, when, and how often. */
import { describe, expect, test } from "vitest";
import type { BotEvent } from "../../bot/core/events.ts";
import {
  ProcessMonitor,
  type ProcessMonitorDeps,
  type RestartReason,
} from "../../bot/utils/process-monitor.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

const mb = 2 ** 20;
const day = 86_400_000;

function setup(overrides: Partial<ProcessMonitorDeps> = {}) {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const restarts: RestartReason[] = [];
  const now = { cpuPercent: 5, rssBytes: 100 * mb, quiet: true, fails: false };
  let heap: (usedBytes: number) => void = () => {};
  let observers = 0;
  const collections: number[] = [];
  const monitor = new ProcessMonitor({
    clock,
    publish: (event) => events.push(event),
    memoryLimitBytes: 512 * mb,
    cpuLimitPercent: 80,
    cpuSustainedMs: 60_000,
    plannedRestartMs: 7 * day,
    isQuiet: async () => now.quiet,
    restart: (reason) => restarts.push(reason),
    runtime: {
      usage: async () => {
        if (now.fails) throw new Error("no /proc");
        return now;
      },
      observeHeap: (onMajorCollection) => {
        heap = onMajorCollection;
        observers++;
        return () => {
          observers--;
        };
      },
      loopDelayMs: () => 12,
      collectGarbage: () => collections.push(clock.monotonicMs()),
    },
    ...overrides,
  });
  return {
    clock,
    events,
    monitor,
    now,
    restarts,
    collect: (used: number) => heap(used),
    collections,
    observers: () => observers,
  };
}

lifecycleConformance("the process monitor", () => {
  const { clock, monitor } = setup();
  return { component: monitor, clock };
});

describe("memory", () => {
  test("above its limit in three samples in a row leads to a restart, once", async () => {
    const { clock, monitor, now, restarts } = setup();
    await monitor.start();
    now.rssBytes = 600 * mb;
    await clock.advance(9_000);
    expect(monitor.isMemoryUsageHigh()).toBe(true);
    expect(restarts).toEqual([]);
    await clock.advance(60_000);
    expect(restarts).toEqual([{ type: "memory-leak", detail: "600 MB in use" }]);
    await monitor.stop();
  });

  test("above its limit leads to a collection first, and to no restart when that helps", async () => {
    const { clock, collections, monitor, now, restarts } = setup();
    now.cpuPercent = 70;
    await monitor.start();
    now.rssBytes = 600 * mb;
    await clock.advance(5_000);
    expect(collections).toHaveLength(1);
    now.rssBytes = 300 * mb;
    await clock.advance(60_000);
    expect(collections).toHaveLength(1);
    expect(restarts).toEqual([]);
    await monitor.stop();
  });

  test("is given back once the work is done, and not again without growth", async () => {
    const { clock, collections, monitor, now } = setup();
    Object.assign(now, { cpuPercent: 70, rssBytes: 400 * mb });
    await monitor.start();
    await clock.advance(60_000);
    expect(collections).toEqual([]);
    now.cpuPercent = 2;
    await clock.advance(15_000);
    expect(collections).toHaveLength(1);
    now.rssBytes = 150 * mb;
    await clock.advance(600_000);
    expect(collections).toHaveLength(1);
    now.rssBytes = 170 * mb;
    await clock.advance(5_000);
    expect(collections).toHaveLength(2);
    await monitor.stop();
  });

  test("above its limit now and then does not", async () => {
    const { clock, monitor, now, restarts } = setup();
    await monitor.start();
    for (let round = 0; round < 20; round++) {
      now.rssBytes = round % 3 === 2 ? 100 * mb : 600 * mb;
      await clock.advance(5_000);
    }
    expect(restarts).toEqual([]);
    await monitor.stop();
  });

  test("with a leak leads to a restart in a quiet moment, before the limit is reached", async () => {
    const { clock, collect, monitor, now, restarts } = setup();
    await monitor.start();
    now.quiet = false;
    for (let point = 0; point < 16; point++) {
      collect((150 + point * 15) * mb);
      await clock.advance(150_000);
    }
    expect(monitor.snapshot().leak.kind).toBe("leaking");
    expect(restarts).toEqual([]);
    now.quiet = true;
    await clock.advance(5_000);
    expect(restarts).toMatchObject([
      { type: "memory-leak", detail: expect.stringContaining("reaches its limit") },
    ]);
    await monitor.stop();
  });
});

test("CPU use above its limit for long leads to a restart, a short load does not", async () => {
  const { clock, monitor, now, restarts } = setup();
  await monitor.start();
  now.cpuPercent = 95;
  await clock.advance(50_000);
  now.cpuPercent = 20;
  await clock.advance(10_000);
  now.cpuPercent = 95;
  await clock.advance(55_000);
  expect(restarts).toEqual([]);
  expect(monitor.isCpuUsageHigh()).toBe(true);
  await clock.advance(15_000);
  expect(restarts).toEqual([{ type: "cpu-overload", detail: "95 % of a processor" }]);
  await monitor.stop();
});

describe("after seven days", () => {
  test("it restarts in a quiet moment", async () => {
    const { clock, monitor, now, restarts } = setup();
    now.quiet = false;
    await monitor.start();
    await clock.advance(7 * day + 3_600_000);
    expect(restarts).toEqual([]);
    now.quiet = true;
    await clock.advance(5_000);
    expect(restarts).toEqual([{ type: "planned" }]);
    await monitor.stop();
  }, 60_000);

  test("it restarts a day later if no moment is quiet, and never if planned restarts are switched off", async () => {
    const busy = setup({ plannedRestartMs: 60_000, isQuiet: async () => false });
    const off = setup({ plannedRestartMs: 0 });
    for (const { clock, monitor } of [busy, off]) {
      await monitor.start();
      await clock.advance(day + 120_000);
      await monitor.stop();
    }
    expect(busy.restarts).toEqual([{ type: "planned" }]);
    expect(off.restarts).toEqual([]);
  }, 60_000);
});

test("a restart is requested only once, whatever the reasons", async () => {
  const { events, monitor, restarts } = setup();
  await monitor.start();
  expect(monitor.triggerRestart({ type: "manual", detail: "operator" })).toBe(true);
  expect(monitor.triggerRestart({ type: "planned" })).toBe(false);
  expect(restarts).toHaveLength(1);
  expect(events).toEqual([{ type: "restart.requested", reason: "manual", detail: "operator" }]);
  expect(monitor.snapshot().restartRequested).toMatchObject({ type: "manual" });
  await monitor.stop();
});

test("the first sample leaves a start alone, and comes a second later", async () => {
  const { clock, monitor } = setup();
  await monitor.start();
  await clock.advance(999);
  expect(monitor.snapshot().rssBytes).toBe(0);
  await clock.advance(1);
  expect(monitor.snapshot().rssBytes).toBe(100 * mb);
  await monitor.stop();
});

test("figures that cannot be read are reported and tried again", async () => {
  const { clock, events, monitor, now } = setup();
  now.fails = true;
  await monitor.start();
  await clock.advance(6_000);
  expect(events.map(({ type }) => type)).toEqual([
    "process.measuring-failed",
    "process.measuring-failed",
  ]);
  now.fails = false;
  await clock.advance(5_000);
  expect(monitor.snapshot()).toMatchObject({ rssBytes: 100 * mb, loopDelayMs: 12 });
  await monitor.stop();
});

test("the process's own figures are plausible, and no observer is left running", async () => {
  const { monitor: _, ...rest } = setup();
  expect(rest.observers()).toBe(0);
  const clock = new ManualClock();
  const monitor = new ProcessMonitor({
    clock,
    publish: () => {},
    memoryLimitBytes: 64 * 1024 * mb,
    cpuLimitPercent: 100_000,
    cpuSustainedMs: 60_000,
    plannedRestartMs: 0,
    isQuiet: async () => true,
    restart: () => {},
  });
  await monitor.start();
  await clock.advance(1_000);
  await expect.poll(() => monitor.snapshot().rssBytes).toBeGreaterThan(10 * mb);
  await monitor.stop();
});
