/** Incident book: what begins and ends an incident, and what is kept over a death. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { BotEvent } from "../../bot/core/events.ts";
import { type Incident, IncidentBook } from "../../bot/telemetry/incident-book.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "incidents-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const told: Incident[] = [];
  const open = () => {
    const book = new IncidentBook({ directory, clock });
    book.subscribe((news) => told.push(news));
    book.begin();
    return book;
  };
  return { clock, file: join(directory, "incidents.jsonl"), open, told };
}

const lost: BotEvent = { type: "connection.lost", connection: "telegram", error: null };
const restored: BotEvent = { type: "connection.restored", connection: "telegram", afterMs: 1 };

test("an incident lasts from its first event to the one that ends it", async () => {
  const { clock, open, told } = setup();
  const book = open();
  book.listener(lost);
  await clock.advance(7_000);
  book.listener(lost);
  book.listener(restored);
  book.listener(restored);
  const [incident] = book.list(10);
  expect(incident).toMatchObject({ subject: "connection telegram", cause: "no answer", times: 2 });
  expect((incident?.closedAtEpochMs ?? 0) - (incident?.openedAtEpochMs ?? 0)).toBe(7_000);
  expect(told).toHaveLength(2);
});

test.for<[BotEvent, object]>([
  [
    { type: "health.changed", probe: "disk", status: "unhealthy", reason: "full" },
    { subject: "health of disk", cause: "full" },
  ],
  [
    { type: "process.death-found", cause: "hang", detail: "in spin" },
    { subject: "process", cause: "in spin", closedAtEpochMs: expect.any(Number) },
  ],
  [{ type: "restart.requested", reason: "planned", detail: undefined }, { cause: "planned" }],
  [{ type: "safe-mode.entered", deaths: 3 }, { cause: "3 unclean ends in a row" }],
  [{ type: "loop.stalled", forMs: 2_500, frames: [] }, { subject: "event loop" }],
])("%j is an incident", ([event, expected]) => {
  const book = setup().open();
  book.listener(event);
  expect(book.list(10)).toMatchObject([expected]);
});

test("a degraded or healthy part is not an incident", () => {
  const book = setup().open();
  book.listener({ type: "health.changed", probe: "cpu", status: "degraded", reason: "busy" });
  book.listener({ type: "health.changed", probe: "cpu", status: "healthy", reason: undefined });
  book.listener({ type: "intake.resumed", free: 1 });
  expect(book.list(10)).toEqual([]);
});

test("measures are recorded in the incident", () => {
  const book = setup().open();
  book.listener({ type: "safe-mode.entered", deaths: 3 });
  book.listener({ type: "safe-mode.relaxed", concurrency: 2 });
  book.listener({ type: "safe-mode.left" });
  expect(book.list(1)).toMatchObject([
    { measures: [{ measure: "safe-mode", times: 1 }], closedAtEpochMs: expect.any(Number) },
  ]);
});

test("the same trouble soon afterwards belongs to the same incident", async () => {
  const { clock, open, told } = setup();
  const book = open();
  const error = { code: "STORAGE_FULL", message: "", atEpochMs: 0 };
  for (let turn = 0; turn < 5; turn++) {
    book.listener({ type: "queue.commit-failed", error, retryInMs: 1 });
    await clock.advance(10_000);
  }
  expect(book.list(10)).toMatchObject([{ times: 5 }]);
  expect(told).toHaveLength(1);
  await clock.advance(60_000);
  book.listener({ type: "queue.commit-failed", error, retryInMs: 1 });
  expect(book.list(10)).toHaveLength(2);
});

test("after a death all incidents are kept, open ones are closed, and torn lines are skipped", async () => {
  const { clock, file, open } = setup();
  const first = open();
  first.listener(lost);
  first.listener({ type: "loop.stalled", forMs: 1, frames: [] });
  appendFileSync(file, '{"id":7,"sub');
  await clock.advance(3_000);
  const second = open();
  expect(second.list(10)).toMatchObject([
    { subject: "event loop" },
    { subject: "connection telegram", closedAtEpochMs: clock.epochMs() },
  ]);
  second.listener(lost);
  expect(second.list(1)[0]).not.toHaveProperty("closedAtEpochMs");
});

test("it keeps the latest five hundred incidents", () => {
  const { file, open } = setup();
  const book = open();
  for (let turn = 0; turn < 600; turn++) {
    book.listener({ type: "loop.stalled", forMs: turn, frames: [] });
  }
  expect(book.list(1_000)).toHaveLength(500);
  expect(open().list(1_000)).toHaveLength(500);
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(500);
});

test("work that is held back for long is an incident; other parts that are degraded are none", () => {
  const book = setup().open();
  const changed = (probe: string, status: "degraded" | "healthy") =>
    book.listener({ type: "health.changed", probe, status, reason: "why" });
  changed("memory", "degraded");
  changed("holds", "degraded");
  expect(book.list(9)).toMatchObject([{ trouble: "work-held", subject: "health of holds" }]);
  changed("holds", "healthy");
  expect(book.list(1)[0]).toHaveProperty("closedAtEpochMs");
});

test("repeated attempts are counted in the incident", () => {
  const book = setup().open();
  book.listener(lost);
  for (let attempts = 0; attempts < 3; attempts++) {
    book.listener({ type: "connection.reconnect-begun", connection: "telegram", attempts });
  }
  expect(book.list(1)).toMatchObject([
    { trouble: "connection-lost", measures: [{ measure: "reconnect", times: 3 }] },
  ]);
});

test("a stuck component's incident lists every measure up to the process restart", () => {
  const book = setup().open();
  const component = "polling";
  book.listener({ type: "component.stalled", component, overdueMs: 1 });
  book.listener({ type: "component.restart-begun", component, cause: "no heartbeat" });
  book.listener({ type: "component.given-up", component, cause: "no heartbeat" });
  expect(book.list(1)).toMatchObject([
    {
      trouble: "component-stuck",
      measures: [{ measure: "restart-component" }, { measure: "restart-process" }],
    },
  ]);
});
