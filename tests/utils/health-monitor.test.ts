import { expect, onTestFinished, test } from "vitest";
import type { Probe, ProbeResult } from "../../bot/core/component.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import { HealthMonitor } from "../../bot/utils/health-monitor.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

class FakeProbe implements Probe {
  readonly name: string;
  answer: () => Promise<ProbeResult> = async () => ({ status: "healthy" });
  asked = 0;
  lastSignal: AbortSignal | undefined;

  constructor(name: string) {
    this.name = name;
  }

  check(signal: AbortSignal): Promise<ProbeResult> {
    this.asked += 1;
    this.lastSignal = signal;
    return this.answer();
  }
}

function setup() {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const publish = (event: BotEvent) => events.push(event);
  const database = new FakeProbe("database");
  const telegram = new FakeProbe("telegram");
  const monitor = new HealthMonitor({
    clock,
    publish,
    probes: [database, telegram],
    intervalMs: 5_000,
    probeDeadlineMs: 2_000,
  });
  onTestFinished(() => monitor.stop());
  return { clock, events, database, telegram, monitor };
}

const failing = async (): Promise<ProbeResult> => {
  throw new Error("disk I/O error");
};
const hanging = () => new Promise<ProbeResult>(() => {});

const changed = (probe: string, status: string, reason?: string) => ({
  type: "health.changed",
  probe,
  status,
  reason,
});

lifecycleConformance("the health monitor", () => {
  const clock = new ManualClock();
  const probes = [new FakeProbe("well"), new FakeProbe("hanging")] as const;
  probes[1].answer = hanging;
  return { clock, component: new HealthMonitor({ clock, publish: () => {}, probes }) };
});

test("a probe that begins to fail is reported once, at its next check", async () => {
  const { clock, database, events, monitor } = setup();

  await monitor.start();
  await clock.advance(4_999);
  database.answer = failing;
  await clock.advance(60_000);

  expect(events).toEqual([
    changed("database", "healthy"),
    changed("telegram", "healthy"),
    changed("database", "unhealthy", "DEFECT: Error: disk I/O error"),
  ]);
});

test("every probe is asked once per interval", async () => {
  const { clock, database, monitor } = setup();

  await monitor.start();
  await clock.advance(50_000);

  expect(database.asked).toBe(11);
});

test("a probe may have its own interval and deadline", async () => {
  const clock = new ManualClock();
  const slow = Object.assign(new FakeProbe("slow"), { intervalMs: 60_000, deadlineMs: 10_000 });
  slow.answer = () =>
    clock.sleep(9_000, new AbortController().signal).then(() => ({ status: "healthy" }));
  const monitor = new HealthMonitor({ clock, publish: () => {}, probes: [slow] });
  await monitor.start();
  await clock.advance(65_000);
  expect(slow.asked).toBe(1);
  await clock.advance(20_000);
  expect(slow.asked).toBe(2);
  const asked = monitor.getHealthStatus();
  await clock.advance(9_000);
  expect((await asked).status).toBe("healthy");
  await monitor.stop();
});

test("a probe on the edge does not flap: one good answer among bad ones is not believed", async () => {
  const { clock, database, events, monitor } = setup();
  let turn = 0;
  database.answer = async () => ({
    status: turn++ % 2 === 0 ? "unhealthy" : "healthy",
    reason: "edge",
  });
  await monitor.start();
  await clock.advance(120_000);
  expect(events.filter((event) => "probe" in event && event.probe === "database")).toHaveLength(1);
  const { checks } = await monitor.getHealthStatus();
  expect(checks["database"]).toMatchObject({ status: "unhealthy", reason: expect.any(String) });
});

test("the latest answers are kept, for half an hour at most", async () => {
  const { clock, database, monitor } = setup();
  await monitor.start();
  await clock.advance(7_000);
  database.answer = failing;
  await clock.advance(5_000);
  expect(monitor.history()["database"]?.map(({ answer }) => answer)).toEqual([
    "healthy",
    "healthy",
    "unhealthy",
  ]);
  await clock.advance(3_600_000);
  expect(monitor.history()["database"]).toHaveLength(360);
});

test("a probe that stays unhealthy for too long is reported, and again after the same time", async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const database = Object.assign(new FakeProbe("database"), { restartAfterMs: 300_000 });
  const telegram = new FakeProbe("telegram");
  database.answer = failing;
  telegram.answer = failing;
  const monitor = new HealthMonitor({
    clock,
    publish: () => {},
    probes: [database, telegram],
    onUnhealthyForLong: (probe) => told.push(probe),
  });
  onTestFinished(() => monitor.stop());
  await monitor.start();
  await clock.advance(299_000);
  expect(told).toEqual([]);
  await clock.advance(2_000);
  expect(told).toEqual(["database"]);
  await clock.advance(300_000);
  expect(told).toEqual(["database", "database"]);
});

test("a healthy answer in between restarts the time", async () => {
  const clock = new ManualClock();
  const told: string[] = [];
  const database = Object.assign(new FakeProbe("database"), { restartAfterMs: 300_000 });
  database.answer = failing;
  const onUnhealthyForLong = (probe: string) => told.push(probe);
  const deps = { clock, publish: () => {}, probes: [database], onUnhealthyForLong };
  const monitor = new HealthMonitor(deps);
  onTestFinished(() => monitor.stop());
  await monitor.start();
  await clock.advance(200_000);
  database.answer = async () => ({ status: "healthy" });
  await clock.advance(20_000);
  database.answer = failing;
  await clock.advance(200_000);
  expect(told).toEqual([]);
});

test("a probe that hangs is unhealthy at its deadline and delays no other probe", async () => {
  const { clock, database, events, monitor } = setup();
  database.answer = hanging;

  await monitor.start();
  await clock.advance(0);
  expect(events).toEqual([changed("telegram", "healthy")]);
  await clock.advance(2_000);

  expect(events.at(-1)).toEqual(changed("database", "unhealthy", "no answer within 2000 ms"));
  expect(database.lastSignal?.aborted).toBe(true);
});

test("a probe that ignores its deadline is not asked again until it has returned", async () => {
  const { clock, database, monitor, telegram } = setup();
  let comeBack = (_: ProbeResult) => {};
  database.answer = () =>
    new Promise((resolve) => {
      comeBack = resolve;
    });

  await monitor.start();
  await clock.advance(60_000);
  expect(database.asked).toBe(1);
  expect(telegram.asked).toBeGreaterThan(8);
  const { checks } = await monitor.getHealthStatus();
  expect(checks["database"]).toMatchObject({ reason: "still no answer to the last check" });

  comeBack({ status: "healthy" });
  database.answer = async () => ({ status: "healthy" });
  await clock.advance(10_000);

  expect((await monitor.getHealthStatus()).status).toBe("healthy");
});

test.each<[string, () => Promise<ProbeResult>]>([
  [
    "throws at once",
    () => {
      throw new Error("at once");
    },
  ],
  ["rejects with something that is no error", () => Promise.reject("nothing")],
  ["answers nothing", async () => undefined as unknown as ProbeResult],
  ["answers nonsense", async () => ({ status: "splendid" }) as unknown as ProbeResult],
])("a probe that %s is unhealthy", async (_, answer) => {
  const { database, monitor } = setup();
  database.answer = answer;

  const { checks, status } = await monitor.getHealthStatus();

  expect(status).toBe("unhealthy");
  expect(checks["database"]).toMatchObject({ status: "unhealthy", reason: expect.any(String) });
});

test.each([
  ["healthy", "healthy", "healthy"],
  ["healthy", "degraded", "degraded"],
  ["degraded", "unhealthy", "unhealthy"],
  ["unhealthy", "healthy", "unhealthy"],
] as const)("%s and %s make %s", async (one, other, overall) => {
  const { database, monitor, telegram } = setup();
  database.answer = async () => ({ status: one });
  telegram.answer = async () => ({ status: other });

  expect((await monitor.getHealthStatus()).status).toBe(overall);
});

test("the report has the requirement's shape", async () => {
  const { clock, database, monitor, telegram } = setup();
  database.answer = async () => {
    await clock.sleep(45, new AbortController().signal);
    return { status: "healthy", figures: { percentage: 65.2 } };
  };
  telegram.answer = async () => ({ status: "degraded", reason: "slow" });

  const report = monitor.getHealthStatus();
  await clock.advance(45);

  const checkedAt = "2026-01-01T00:00:00.045Z";
  expect(await report).toEqual({
    status: "degraded",
    timestamp: "2026-01-01T00:00:00.045Z",
    checks: {
      database: { status: "healthy", duration: 45, percentage: 65.2, checkedAt },
      telegram: { status: "degraded", duration: 0, reason: "slow", checkedAt: expect.any(String) },
    },
  });
});

test("without probes the bot is healthy", async () => {
  const monitor = new HealthMonitor({ clock: new ManualClock(), publish: () => {}, probes: [] });

  expect(await monitor.getHealthStatus()).toMatchObject({ status: "healthy", checks: {} });
});

test("asking often does not ask the probes often", async () => {
  const { clock, database, monitor } = setup();

  await Promise.all(Array.from({ length: 100 }, () => monitor.getHealthStatus()));
  await clock.advance(999);
  await monitor.getHealthStatus();
  expect(database.asked).toBe(1);

  await clock.advance(1);
  await monitor.getHealthStatus();
  expect(database.asked).toBe(2);
});

test("a stop cuts off a check under way, which then counts as no answer", async () => {
  const { clock, database, events, monitor } = setup();
  database.answer = hanging;
  await monitor.start();
  await clock.advance(0);

  await monitor.stop();

  expect(database.lastSignal?.aborted).toBe(true);
  expect(events).toEqual([changed("telegram", "healthy")]);
  expect(clock.pending).toBe(0);
  const asked = database.asked;
  await monitor.getHealthStatus();
  await clock.advance(60_000);
  expect(database.asked).toBe(asked);
});
