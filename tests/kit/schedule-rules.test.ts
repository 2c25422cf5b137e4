/** Schedule rules and due instants: which instants there are, and which of them run when some were missed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { dueInstants, type Timetable } from "../../bot/kit/due-instants.ts";
import { decideDue, type MissedPolicy } from "../../bot/kit/schedule-rules.ts";

const minuteMs = 60_000;
const at = (text: string) => Date.parse(text);
const everyMinute = dueInstants({ every: minuteMs }, "x");

test.each<[MissedPolicy, number, number, [number | undefined, number | undefined, number]]>([
  // due at minute 10; the columns are: now, and then what runs, since when it was missed, and what is next
  ["once", 10, 0, [10, undefined, 11]],
  ["once", 10, 0.5, [10, undefined, 11]],
  ["once", 10, 5.5, [15, 10, 16]],
  ["once", 10, -3, [10, undefined, 11]],
  ["skip", 10, 0.9, [10, undefined, 11]],
  ["skip", 10, 5.5, [undefined, undefined, 16]],
  ["all", 10, 5.5, [10, undefined, 11]],
])("%s: due at minute %d, %d minutes late", (missed, due, lateMinutes, [run, from, next]) => {
  const ms = (minute: number | undefined) => minute && minute * minuteMs;
  expect(decideDue(due * minuteMs, (due + lateMinutes) * minuteMs, missed, everyMinute)).toEqual({
    dueAtEpochMs: ms(run),
    missedFromEpochMs: ms(from),
    nextEpochMs: ms(next),
  });
});

test("whatever is missed, instants only go forward, and `all` leaves none out", () => {
  const policies = fc.constantFrom<MissedPolicy>("once", "skip", "all");
  fc.assert(
    fc.property(policies, fc.array(fc.integer({ min: 0, max: 600_000 })), (missed, waits) => {
      const ran: number[] = [];
      let due = minuteMs;
      let now = 0;
      for (const wait of waits) {
        now = Math.max(now, due) + wait;
        const decided = decideDue(due, now, missed, everyMinute);
        if (decided.dueAtEpochMs !== undefined) {
          expect(decided.dueAtEpochMs).toBeGreaterThan(ran.at(-1) ?? 0);
          ran.push(decided.dueAtEpochMs);
        }
        expect(decided.nextEpochMs).toBeGreaterThan(decided.dueAtEpochMs ?? due);
        due = decided.nextEpochMs as number;
      }
      if (missed === "all") expect(ran).toEqual(ran.map((_, index) => (index + 1) * minuteMs));
    }),
  );
});

test.each<[Timetable, string, string]>([
  [{ cron: "0 9 * * 1-5" }, "2026-03-27T09:00:00Z", "2026-03-30T09:00:00Z"],
  [
    { cron: "0 9 * * *", timeZone: "Asia/Shanghai" },
    "2026-03-27T09:00:00Z",
    "2026-03-28T01:00:00Z",
  ],
  [{ cron: "30 8 1 1 *" }, "2026-03-27T09:00:00Z", "2027-01-01T08:30:00Z"],
  [{ cron: "*/10 * * * * *" }, "2026-03-27T09:00:00Z", "2026-03-27T09:00:10Z"],
  [{ cron: "@hourly" }, "2026-03-27T09:00:00.001Z", "2026-03-27T10:00:00Z"],
  // The clocks of Berlin leave out 02:30 on 29 March, and have it twice on 25 October.
  [
    { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
    "2026-03-28T12:00:00Z",
    "2026-03-29T01:00:00Z",
  ],
  [
    { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
    "2026-10-24T12:00:00Z",
    "2026-10-25T00:30:00Z",
  ],
  [
    { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
    "2026-10-25T00:30:00Z",
    "2026-10-26T01:30:00Z",
  ],
  [{ every: 7_200_000 }, "2026-03-27T09:00:00Z", "2026-03-27T10:00:00Z"],
])("%j after %s is %s", (timetable, after, next) => {
  expect(dueInstants(timetable, "x").next(at(after))).toBe(at(next));
});

test.each<Timetable>([
  { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
  { cron: "*/20 * * * *", timeZone: "America/New_York" },
  { cron: "0 0 1 * *", timeZone: "Pacific/Apia" },
  { every: 5_400_000 },
])(
  "the latest instant of %j is the one before the next, through a year and its clock changes",
  (timetable) => {
    const instants = dueInstants(timetable, "x");
    const anyTime = fc.integer({ min: at("2026-01-01"), max: at("2027-01-01") });
    fc.assert(
      fc.property(anyTime, (now) => {
        const latest = instants.latest(now) as number;
        expect(latest).toBeLessThanOrEqual(now);
        expect(instants.next(latest)).toBe(instants.next(now));
        expect(instants.latest(latest)).toBe(latest);
      }),
      { numRuns: 60 },
    );
  },
);

test.each([
  [
    { cron: "61 * * * *" },
    /cron: expected a cron text.*received "61 \* \* \* \*" \(Invalid value for minute: 61\)/,
  ],
  [{ cron: "every day" }, /schedule x: cron: expected a cron text/],
  [{ cron: "" }, /received ""/],
  [{ cron: 5 }, /received 5/],
  [{ cron: "0 0 30 2 *" }, /a text with at least one instant/],
  [{ cron: "2030-01-01T00:00:00" }, /cron: expected a cron text/],
  [
    { cron: "* * * * *", timeZone: "Mars/Base" },
    /timeZone: expected an IANA time zone, received "Mars/,
  ],
  [{ every: 999 }, /every: expected a whole number of milliseconds from 1000/],
  [{ every: 40 * 86_400_000 }, /received 3456000000/],
  [{ every: Number.NaN }, /received NaN/],
])("%j is refused in words", (timetable, message) => {
  expect(() => dueInstants(timetable as Timetable, "x")).toThrow(message as RegExp);
});

test("two years at nine in Berlin are 730 instants, clock changes included", () => {
  const instants = dueInstants({ cron: "0 9 * * *", timeZone: "Europe/Berlin" }, "x");
  const local = new Intl.DateTimeFormat("sv", {
    timeZone: "Europe/Berlin",
    dateStyle: "short",
    timeStyle: "short",
  });
  const days = new Set<string>();
  let now = at("2026-01-01");
  for (; now < at("2028-01-01"); now = instants.next(now) as number) days.add(local.format(now));
  days.delete(local.format(at("2026-01-01")));
  expect(days.size).toBe(730);
  expect([...days].every((text) => text.endsWith(" 09:00"))).toBe(true);
});
