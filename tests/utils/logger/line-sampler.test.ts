/** Line sampler: tests which lines are alike, and that no count is lost. */
import { expect, test } from "vitest";
import type { LogLine } from "../../../bot/utils/logger/line-format.ts";
import { LineSampler } from "../../../bot/utils/logger/line-sampler.ts";
import { ManualClock } from "../../support/manual-clock.ts";

type Source = "event" | "author";

function setup() {
  const clock = new ManualClock();
  const sampler = new LineSampler(clock);
  /** Judges `times` lines. @returns how many of them were written. */
  const pass = (times: number, make: (n: number) => Partial<LogLine>, source: Source = "event") => {
    let written = 0;
    for (let n = 0; n < times; n++) {
      const line = { at: "", level: "warn", event: "happened", ...make(n) } as const;
      if (sampler.judge(line, source) !== undefined) written++;
    }
    return written;
  };
  return { clock, sampler, pass };
}

const failed = (n: number) => ({ error: { code: "X", message: `chat ${n} of "${n}" failed` } });

test.for<[string, number, (n: number) => Partial<LogLine>, Source]>([
  ["warnings with the same error", 5, (n) => ({ facts: failed(n) }), "event"],
  ["written on purpose, with an error", 5, (n) => ({ facts: failed(n) }), "author"],
  ["errors", 5, (n) => ({ level: "error", facts: failed(n) }), "event"],
  ["information", 5, (n) => ({ level: "info", facts: { userId: n } }), "event"],
  ["events that differ in numbers alone", 5, (n) => ({ facts: { afterMs: n } }), "event"],
  ["of different events", 50, (n) => ({ event: `e${n}` }), "event"],
  ["of different codes", 50, (n) => ({ facts: { error: { code: letters(n) } } }), "event"],
  ["about different things", 50, (n) => ({ facts: { component: letters(n) } }), "event"],
  ["debug", 50, (n) => ({ level: "debug", facts: failed(n) }), "event"],
  ["business", 50, (n) => ({ kind: "business", facts: failed(n) }), "event"],
  ["security", 50, (n) => ({ kind: "security", facts: failed(n) }), "event"],
  ["written on purpose", 50, (n) => ({ facts: { n } }), "author"],
])("%s: %i of 50", ([, written, make, source]) => {
  expect(setup().pass(50, make, source)).toBe(written);
});

function letters(n: number): string {
  return String.fromCharCode(65 + (n % 26), 65 + Math.floor(n / 26));
}

test("every line left out is counted and reported once", async () => {
  const { clock, pass, sampler } = setup();
  expect(pass(1_000, (n) => ({ facts: failed(n) }))).toBe(5 + 9);
  expect(sampler.suppressed).toBe(1_000 - 14);
  expect(sampler.takeLeftovers("minutes that are over")).toEqual([]);
  await clock.advance(60_000);
  // Of 995 lines beyond the first five, written lines reported nine hundred; 95 are left to report.
  expect(sampler.takeLeftovers("minutes that are over")).toEqual([
    { level: "warn", of: "happened", suppressed: 95 },
  ]);
  expect(sampler.takeLeftovers("all")).toEqual([]);
  expect(pass(6, (n) => ({ facts: failed(n) }))).toBe(5);
  expect(sampler.takeLeftovers("all")).toEqual([{ level: "warn", of: "happened", suppressed: 1 }]);
});

test("among very many kinds the quiet ones are forgotten, but their counts are not", () => {
  const { pass, sampler } = setup();
  const name = (n: number) => `k${n}`;
  for (let kind = 0; kind < 2_000; kind++) pass(6, () => ({ event: name(kind) }));
  const leftovers = sampler.takeLeftovers("all");
  expect(leftovers.reduce((sum, { suppressed }) => sum + suppressed, 0)).toBe(sampler.suppressed);
  expect(leftovers.length).toBeLessThanOrEqual(101);
});

test("lines left out are reported at their own level", () => {
  const { pass, sampler } = setup();
  for (const level of ["error", "info"] as const) pass(7, () => ({ level }));
  expect(sampler.takeLeftovers("all")).toEqual([
    { level: "error", of: "happened", suppressed: 2 },
    { level: "info", of: "happened", suppressed: 2 },
  ]);
});
