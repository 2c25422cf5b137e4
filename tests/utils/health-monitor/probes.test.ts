/** Probes: tests the verdict on each set of figures, as tables. */
import { describe, expect, test } from "vitest";
import type { ProbeResult } from "../../../bot/core/component.ts";
import type { WaitingHold } from "../../../bot/core/holds.ts";
import { type BackupFigures, backupProbe } from "../../../bot/utils/health-monitor/backup-probe.ts";
import { clockProbe } from "../../../bot/utils/health-monitor/clock-probe.ts";
import { diskProbe } from "../../../bot/utils/health-monitor/disk-probe.ts";
import { holdsProbe } from "../../../bot/utils/health-monitor/holds-probe.ts";
import { type LogFigures, logProbe } from "../../../bot/utils/health-monitor/log-probe.ts";
import {
  type ProcessFigures,
  processProbes,
} from "../../../bot/utils/health-monitor/process-probes.ts";
import { type QueueFigures, queueProbe } from "../../../bot/utils/health-monitor/queue-probe.ts";
import { restartsProbe } from "../../../bot/utils/health-monitor/restarts-probe.ts";
import { telegramProbe } from "../../../bot/utils/health-monitor/telegram-probe.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;
const mb = 2 ** 20;

/** Returns the status, and checks that every status but healthy has a reason. */
async function statusOf(checked: Promise<ProbeResult>): Promise<string> {
  const { reason, status } = await checked;
  if (status !== "healthy") expect(reason).toMatch(/\w/);
  return status;
}

const day = 86_400_000;

test.for<[string, Partial<BackupFigures>, string]>([
  ["young", {}, "healthy"],
  ["two intervals old", { ageMs: 2 * day }, "healthy"],
  ["older than two intervals", { ageMs: 2 * day + 600_001 }, "degraded"],
  ["missing, soon after the start", { ageMs: null }, "healthy"],
  ["missing for two intervals", { ageMs: null, upMs: 2 * day + 600_001 }, "degraded"],
  ["not asked for", { ageMs: null, everyMs: 0, upMs: 99 * day }, "healthy"],
  ["failing", { failure: "BACKUP_FAILED" }, "degraded"],
  ["not carried away", { commandFailure: "BACKUP_COMMAND_FAILED" }, "degraded"],
])("a backup that is %s", async ([_, change, status]) => {
  const young = { everyMs: day, ageMs: 1_000, upMs: 0, failure: null, commandFailure: null };
  const probe = backupProbe(() => ({ ...young, ...change }));
  expect(await statusOf(probe.check(never))).toBe(status);
});

describe("process", () => {
  const calm: ProcessFigures = {
    cpuPercent: 5,
    rssBytes: 100 * mb,
    memoryLimitBytes: 512 * mb,
    cpuLimitPercent: 80,
    cpuHighForMs: 0,
    loopDelayMs: 10,
    leak: { kind: "steady" },
  };
  test.for<[string, Partial<ProcessFigures>, string, string]>([
    ["calm", {}, "memory", "healthy"],
    ["near the limit", { rssBytes: 450 * mb }, "memory", "degraded"],
    ["above the limit", { rssBytes: 513 * mb }, "memory", "unhealthy"],
    ["growing", { leak: { kind: "growing", hoursToLimit: 9 } }, "memory", "degraded"],
    ["busy for a moment", { cpuPercent: 99, cpuHighForMs: 20_000 }, "cpu", "healthy"],
    ["busy for long", { cpuPercent: 99, cpuHighForMs: 30_000 }, "cpu", "degraded"],
    ["quick", {}, "event-loop", "healthy"],
    ["slow", { loopDelayMs: 501 }, "event-loop", "degraded"],
  ])("%s", async ([, change, name, status]) => {
    const probes = processProbes(() => ({ ...calm, ...change }));
    const probe = probes.find((one) => one.name === name);
    expect(await statusOf(probe?.check(never) as Promise<ProbeResult>)).toBe(status);
  });
});

describe("queue", () => {
  const calm: QueueFigures = {
    waiting: 0,
    oldestAgeMs: 0,
    paused: false,
    sending: 0,
    deadLetters: 0,
    lengthMax: 10,
  };
  test.for<[string, Partial<QueueFigures>, string]>([
    ["empty", {}, "healthy"],
    ["an update is waiting", { waiting: 3, oldestAgeMs: 59_000 }, "healthy"],
    ["an update has waited long", { waiting: 3, oldestAgeMs: 61_000 }, "degraded"],
    ["paused", { paused: true }, "degraded"],
    ["full", { waiting: 10 }, "unhealthy"],
  ])("%s", async ([, change, status]) => {
    const probe = queueProbe(async () => ({ ...calm, ...change }));
    expect(await statusOf(probe.check(never))).toBe(status);
  });
});

describe("holds", () => {
  const hold: WaitingHold = {
    ...{ id: "paused:sending", kind: "paused", target: "sending", limit: 0 },
    ...{ reason: "an operator has paused it", sinceEpochMs: 0, untilEpochMs: null },
    ...{ test: "nothing", releasable: true, waitedMs: 0 },
  };
  const until = { lane: "chat:7", untilEpochMs: Date.UTC(2026, 0, 1) };
  test.for<[string, readonly Partial<WaitingHold>[], string, string?]>([
    ["nothing is held", [], "healthy"],
    ["nothing waits", [{}], "healthy"],
    ["work waits for a moment", [{ waitedMs: 60_000 }], "healthy"],
    [
      "work waits for long",
      [{ waitedMs: 60_001 }],
      "degraded",
      "sending is held back (paused): an operator has paused it",
    ],
    [
      "the longest wait is named, and a chat without its number",
      [{ waitedMs: 60_001 }, { waitedMs: 90_000, ...until }, { waitedMs: 1 }],
      "degraded",
      "a chat is held back (paused): an operator has paused it; until 2026-01-01T00:00:00.000Z; 1 more at /api/holds",
    ],
  ])("%s", async ([, changes, status, reason]) => {
    const probe = holdsProbe(async () => changes.map((change) => ({ ...hold, ...change })));
    const result = await probe.check(never);
    expect(result.status).toBe(status);
    expect(result.reason).toBe(reason);
  });
});

describe("telegram", () => {
  const polling = {
    state: "polling",
    reason: undefined,
    sinceLastHeardMs: 5_000,
    failuresInARow: 0,
  } as const;
  test.for<[string, object, boolean, string, (number | null)?]>([
    ["polls complete", {}, true, "healthy"],
    ["answers are quick", {}, true, "healthy", 40],
    ["answers are slow", {}, true, "degraded", 2_500],
    ["the first poll is under way", { sinceLastHeardMs: undefined }, true, "healthy"],
    ["the queue is full", { state: "back-pressure", sinceLastHeardMs: 90_000 }, true, "degraded"],
    ["held", { state: "held", sinceLastHeardMs: 90_000 }, true, "degraded"],
    ["failing for a moment", { failuresInARow: 2, reason: "TELEGRAM_NOT_SENT" }, true, "degraded"],
    [
      "failing since the start",
      { failuresInARow: 2, sinceLastHeardMs: undefined },
      true,
      "unhealthy",
    ],
    ["no poll for long", { sinceLastHeardMs: 46_000 }, true, "unhealthy"],
    ["sending is not possible", {}, false, "degraded"],
  ])("%s", async ([, change, reachable, status, latencyMs = null]) => {
    const probe = telegramProbe({
      latencyMs: () => latencyMs,
      intake: () => ({ ...polling, ...change }),
      reachable: () => reachable,
      pollDueMs: 45_000,
    });
    expect(await statusOf(probe.check(never))).toBe(status);
  });
});

test.for([
  [2_000, "healthy"],
  [400, "degraded"],
  [40, "unhealthy"],
] as const)("a disk with %i MB left", async ([freeMb, status]) => {
  const roomy = { freeBytes: 9_000 * mb, totalBytes: 9_000 * mb };
  const measure = async (path: string) =>
    path === "a" ? roomy : { ...roomy, freeBytes: freeMb * mb };
  expect(await statusOf(diskProbe(["a", "b"], measure).check(never))).toBe(status);
});

test("the real disk has figures, and a missing directory is an error", async () => {
  const { figures } = await diskProbe(["/"]).check(never);
  expect(figures?.["freeMb"]).toBeGreaterThan(0);
  await expect(diskProbe(["/nonexistent"]).check(never)).rejects.toThrow("ENOENT");
});

describe("log", () => {
  const calm: LogFigures = {
    fileWritable: true,
    fileFailure: null,
    dropping: false,
    behindBytes: 0,
    stalledMs: 0,
    drops: { error: 0, warn: 0, info: 0, debug: 0 },
    consoleDrops: 0,
    suppressed: 0,
  };
  const drops = { error: 1, warn: 2, info: 3, debug: 4 };
  test.for<[string, Partial<LogFigures>, string, RegExp?]>([
    ["all lines on disk", {}, "healthy"],
    ["many lines alike were left out", { suppressed: 1e6 }, "healthy"],
    ["lines were lost some time ago", { drops, consoleDrops: 7 }, "healthy"],
    ["a write takes a moment", { behindBytes: 1, stalledMs: 9_000 }, "healthy"],
    ["a write hangs", { behindBytes: 1, stalledMs: 11_000 }, "degraded", /nothing for 11 s/],
    ["lines are being lost", { drops, dropping: true }, "degraded", /too slow: 10 lines/],
    [
      "cannot be written",
      { fileWritable: false, fileFailure: "ENOSPC" },
      "degraded",
      /cannot be written \(ENOSPC\)/,
    ],
  ])("%s", async ([, change, status, reason]) => {
    const probe = logProbe(() => ({ ...calm, ...change }));
    expect(await statusOf(probe.check(never))).toBe(status);
    if (reason) expect((await probe.check(never)).reason).toMatch(reason);
  });

  test("shows how many lines were lost, by level", async () => {
    const { figures } = await logProbe(() => ({ ...calm, drops })).check(never);
    expect(figures).toMatchObject({ droppedErrors: 1, droppedWarnings: 2, droppedOthers: 7 });
  });
});

test("a step of the wall clock is shown for an hour", async () => {
  const clock = new ManualClock();
  const probe = clockProbe(clock);
  expect(await statusOf(probe.check(never))).toBe("healthy");
  clock.jumpEpoch(-86_400_000);
  const stepped = await probe.check(never);
  expect(stepped).toMatchObject({ status: "degraded", figures: { stepMs: -86_400_000 } });
  await clock.advance(3_600_001);
  expect(await statusOf(probe.check(never))).toBe("healthy");
});

test.for([
  ["off", "healthy"],
  ["careful", "degraded"],
  ["watching", "degraded"],
] as const)("safe mode %s", async ([state, status]) => {
  const probe = restartsProbe(() => ({ state, deaths: 3, concurrency: 1 }));
  expect(await statusOf(probe.check(never))).toBe(status);
});
