/** Alerts: what operators are told, how often, and where when Telegram is down. */
import { expect, test } from "vitest";
import { StorageFullError } from "../../bot/core/errors.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import { Alerts } from "../../bot/telemetry/alerts.ts";
import type { Incident } from "../../bot/telemetry/incident-book.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const sent: string[] = [];
  const posted: string[] = [];
  const events: BotEvent[] = [];
  const world = { reachable: true, fails: false };
  const alerts = new Alerts({
    clock,
    publish: (event) => events.push(event),
    send: async (text) => {
      if (world.fails) throw new StorageFullError("no space");
      sent.push(text);
    },
    reachable: () => world.reachable,
    post: async (text) => {
      posted.push(text);
    },
  });
  return { alerts, clock, events, posted, sent, world };
}

const incident = (id: number, change: Partial<Incident> = {}): Incident => ({
  id,
  subject: `thing ${id}`,
  trouble: "connection-lost",
  cause: "broken",
  openedAtEpochMs: 1_000,
  measures: [],
  times: 1,
  ...change,
});

lifecycleConformance("alerts", () => {
  const { alerts, clock } = setup();
  alerts.tell(incident(1));
  return { component: alerts, clock };
});

test("incidents within a few seconds come in one message, the next ones a minute later", async () => {
  const { alerts, clock, sent } = setup();
  await alerts.start();
  alerts.tell(incident(1));
  await clock.advance(3_000);
  alerts.tell(incident(2));
  await clock.advance(3_000);
  expect(sent).toEqual(["🔴 thing 1: broken\n🔴 thing 2: broken"]);
  for (let id = 3; id < 43; id++) alerts.tell(incident(id));
  await clock.advance(58_000);
  expect(sent).toHaveLength(1);
  await clock.advance(10_000);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toContain("… and 25 more");
  await alerts.stop();
});

test("that commits are lost is told within seconds, whatever was told before", async () => {
  const { alerts, clock, sent } = setup();
  await alerts.start();
  alerts.tell(incident(1));
  await clock.advance(6_000);
  alerts.tell(incident(2));
  await clock.advance(6_000);
  expect(sent).toHaveLength(1);
  alerts.tell(incident(3, { trouble: "commits-lost", cause: "7 commits are gone" }));
  await clock.advance(6_000);
  expect(sent[1]).toBe("🔴 thing 2: broken\n🔴 thing 3: 7 commits are gone");
  alerts.tell(incident(4));
  await clock.advance(50_000);
  expect(sent).toHaveLength(2);
  await clock.advance(20_000);
  expect(sent).toHaveLength(3);
  await alerts.stop();
});

test("the end of a reported incident is reported with its duration", async () => {
  const { alerts, clock, sent } = setup();
  await alerts.start();
  alerts.tell(incident(1));
  await clock.advance(6_000);
  alerts.tell(incident(1, { closedAtEpochMs: 63_000 }));
  await clock.advance(70_000);
  expect(sent[1]).toBe("🟢 thing 1: resolved after 62 s");
  await alerts.stop();
});

test("an incident that ends before its alert is not reported, unless it was over at once", async () => {
  const { alerts, clock, sent } = setup();
  await alerts.start();
  alerts.tell(incident(1));
  await clock.advance(1_000);
  alerts.tell(incident(1, { closedAtEpochMs: 2_000 }));
  await clock.advance(60_000);
  expect(sent).toEqual([]);
  alerts.tell(incident(2, { closedAtEpochMs: 1_000, times: 3 }));
  await clock.advance(6_000);
  expect(sent).toEqual(["🟠 thing 2: broken (3 times)"]);
  await alerts.stop();
});

test("while Telegram cannot be reached, alerts also go to the webhook", async () => {
  const { alerts, clock, posted, sent, world } = setup();
  world.reachable = false;
  await alerts.start();
  alerts.tell(incident(1));
  await clock.advance(6_000);
  expect([sent.length, posted.length]).toEqual([1, 1]);
  await alerts.stop();
});

test("an alert that cannot be queued is reported, and the next one is sent", async () => {
  const { alerts, clock, events, sent, world } = setup();
  world.fails = true;
  await alerts.start();
  alerts.tell(incident(1));
  await clock.advance(6_000);
  expect(events).toMatchObject([{ type: "alert.failed", error: { code: "STORAGE_FULL" } }]);
  world.fails = false;
  alerts.tell(incident(2));
  await clock.advance(66_000);
  expect(sent).toEqual(["🔴 thing 2: broken"]);
  await alerts.stop();
});
