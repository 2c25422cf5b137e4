/** Error groups: errors are counted, remembered and noticed by kind. */
import { expect, test } from "vitest";
import type { BotEvent } from "../../bot/core/events.ts";
import { ErrorGroups } from "../../bot/telemetry/error-groups.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const noticed: string[] = [];
  const groups = new ErrorGroups({
    clock,
    publish: (event) => {
      if (event.type === "error.noticed") noticed.push(event.what);
    },
  });
  const fail = (message: string, code = "X") =>
    groups.listener({
      type: "storage.failed",
      error: { code, message, atEpochMs: clock.epochMs() },
    });
  return { clock, fail, groups, noticed };
}

const hour = 3_600_000;

test("errors of one kind form one group with hourly counts", async () => {
  const { clock, fail, groups } = setup();
  fail("no answer within 5 ms");
  await clock.advance(hour);
  fail("no answer within 9 ms");
  fail("no answer within 7 ms");
  fail("something else");
  const [other, group] = groups.list(10);
  expect(other).toMatchObject({ count: 1 });
  expect(group).toMatchObject({
    code: "X",
    count: 3,
    event: "storage.failed",
    message: "no answer within <n> ms",
  });
  expect(group?.perHour.slice(-2)).toEqual([1, 2]);
  await clock.advance(30 * hour);
  expect(groups.list(10)[1]?.perHour).toEqual(Array(24).fill(0));
});

test("a new kind is noticed once, a spike once per window, and a kind that returns after a week", async () => {
  const { clock, fail, noticed } = setup();
  for (let turn = 0; turn < 50; turn++) fail("trouble");
  expect(noticed).toEqual(["new", "spike"]);
  await clock.advance(8 * 24 * hour);
  fail("trouble");
  expect(noticed).toEqual(["new", "spike", "back"]);
});

test("events without an error and its own events are not counted", () => {
  const { groups } = setup();
  const events: BotEvent[] = [
    { type: "connection.lost", connection: "x", error: null },
    { type: "intake.held-back" },
    { type: "error.noticed", what: "new", fingerprint: "f", code: "X", count: 1 },
  ];
  for (const event of events) groups.listener(event);
  expect(groups.list(10)).toEqual([]);
});

test("it remembers at most five hundred kinds", () => {
  const { fail, groups } = setup();
  for (let kind = 0; kind < 600; kind++) fail("trouble", `CODE_${kind}`);
  expect(groups.list(1_000)).toHaveLength(500);
  expect(groups.list(1)[0]?.code).toBe("CODE_599");
});
