/** Reconnect manager: tests how it notices outages, reconnects, and measures quality. */
import { describe, expect, test } from "vitest";
import { CallNotSentError } from "../../bot/core/errors.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import { type Connection, ReconnectManager } from "../../bot/utils/reconnect-manager.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

const down = new CallNotSentError("no connection");

function setup(change: Partial<Connection> = {}, chance = 0.5) {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const world = { up: true, attempts: [] as number[], heartbeats: 0 };
  const answer = async () => {
    if (!world.up) throw down;
  };
  const manager = new ReconnectManager({
    clock,
    random: () => chance,
    publish: (event) => events.push(event),
    connections: [
      {
        name: "telegram",
        reconnect: (_, attempts) => {
          world.attempts.push(attempts);
          return answer();
        },
        heartbeatMs: 10_000,
        heartbeat: () => {
          world.heartbeats++;
          return answer();
        },
        ...change,
      },
    ],
  });
  const quality = () => manager.snapshot()["telegram"];
  const restored = () => events.filter(({ type }) => type === "connection.restored").length;
  return { clock, events, manager, quality, restored, world };
}

lifecycleConformance("the reconnect manager", () => {
  const { clock, manager } = setup();
  return { component: manager, clock };
});

test("one failed call is not an outage, but three in a row are", async () => {
  const { clock, events, manager, quality } = setup();
  await manager.start();
  manager.failed("telegram", down);
  manager.failed("telegram", down);
  manager.succeeded("telegram", 20);
  manager.failed("telegram", down);
  manager.failed("telegram", down);
  expect(quality()?.state).toBe("unsteady");
  manager.failed("telegram", down);
  expect(quality()?.state).toBe("down");
  await clock.advance(500);
  expect(quality()?.state).toBe("connected");
  expect(events.map(({ type }) => type)).toEqual([
    "connection.lost",
    "connection.reconnect-begun",
    "connection.restored",
  ]);
  await manager.stop();
});

test("after an outage of any length, the connection is back within five seconds", async () => {
  const { clock, manager, quality, restored, world } = setup({}, 0.999);
  await manager.start();
  world.up = false;
  for (let call = 0; call < 3; call++) manager.failed("telegram", down);
  await clock.advance(3 * 86_400_000);
  const attempts = world.attempts.length;
  // Attempts are at most 4 s apart, with jitter, so one day has no more than this.
  expect(attempts).toBeLessThan((3 * 86_400_000) / 3_000);
  world.up = true;
  await clock.advance(4_500);
  expect(quality()).toMatchObject({ state: "connected", attempts: 0 });
  expect(restored()).toBe(1);
  await manager.stop();
}, 60_000);

test("a connection that falls silent is checked and found dead", async () => {
  const { clock, manager, quality, world } = setup();
  await manager.start();
  await clock.advance(60_000);
  expect(world.heartbeats).toBe(6);
  world.up = false;
  await clock.advance(13_000);
  expect(["down", "reconnecting"]).toContain(quality()?.state);
  world.up = true;
  await clock.advance(4_500);
  expect(quality()?.state).toBe("connected");
  await manager.stop();
});

test("a connection in use is not checked", async () => {
  const { clock, manager, world } = setup();
  await manager.start();
  for (let second = 0; second < 60; second++) {
    manager.succeeded("telegram", 5);
    await clock.advance(1_000);
  }
  expect(world.heartbeats).toBe(0);
  await manager.stop();
});

test("a success of another call ends the outage without another attempt", async () => {
  const { clock, manager, quality, restored, world } = setup({}, 0.999);
  await manager.start();
  world.up = false;
  for (let call = 0; call < 3; call++) manager.failed("telegram", down);
  await clock.advance(60_000);
  const before = world.attempts.length;
  manager.succeeded("telegram", 5);
  await clock.advance(5_000);
  expect(world.attempts).toHaveLength(before);
  expect(quality()?.state).toBe("connected");
  expect(restored()).toBe(1);
  await manager.stop();
});

test("each attempt knows how many failed before it, so that it can try another way", async () => {
  const { clock, manager, world } = setup();
  await manager.start();
  world.up = false;
  for (let call = 0; call < 3; call++) manager.failed("telegram", down);
  await clock.advance(10_000);
  expect(world.attempts.slice(0, 4)).toEqual([0, 1, 2, 3]);
  await manager.stop();
});

describe("quality", () => {
  test("is unknown at first", () => {
    expect(setup().quality()).toEqual({
      state: "connected",
      sinceMs: 0,
      attempts: 0,
      latencyMs: null,
      successRate: null,
      lastError: null,
    });
  });

  test("has latency, success rate and the last error, but no latency of long polls", () => {
    const { manager, quality } = setup();
    manager.succeeded("telegram", 100);
    manager.succeeded("telegram", 200);
    manager.succeeded("telegram");
    manager.failed("telegram", down);
    expect(quality()).toMatchObject({
      latencyMs: 120,
      successRate: 0.75,
      lastError: { code: "TELEGRAM_NOT_SENT" },
    });
  });
});

test("an unknown connection name is ignored and counts as not connected", async () => {
  const { manager } = setup();
  manager.succeeded("other", 1);
  manager.failed("other", down);
  expect(await manager.attemptReconnect("other")).toBe(false);
  expect(await manager.executeReconnect("other")).toBe(false);
});

test.for([
  [0, 500],
  [1, 1_000],
  [2, 2_000],
  [3, 4_000],
  [50, 4_000],
] as const)("after %i failed attempts it waits less than %i ms", ([attempts, boundMs]) => {
  expect(setup({}, 1).manager.calculateReconnectDelay(attempts)).toBe(boundMs);
  expect(setup({}, 0).manager.calculateReconnectDelay(attempts)).toBe(0);
});
