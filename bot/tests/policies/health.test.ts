/** Health: bad news are believed at once, good ones when they are repeated. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Health, nextVerdict, severity, type Verdict } from "../../policies/health.ts";

const all: readonly Health[] = ["healthy", "degraded", "unhealthy"];
const judge = (answers: readonly Health[], hysteresis = { worsenAfter: 1, improveAfter: 2 }) =>
  answers.reduce<Verdict | undefined>(
    (before, answer) => nextVerdict(before, answer, hysteresis),
    undefined,
  )?.status;

test.for<[string, Health]>([
  ["h", "healthy"],
  ["u", "unhealthy"],
  ["hu", "unhealthy"],
  ["hd", "degraded"],
  ["uh", "unhealthy"],
  ["uhh", "healthy"],
  ["uhuh", "unhealthy"],
  ["uhd", "degraded"],
  ["udh", "degraded"],
  ["uhdh", "degraded"],
  ["uhdhh", "healthy"],
])("%s makes it %s", ([letters, expected]) => {
  const answers = [...letters].map((letter) => all.find((one) => one.startsWith(letter)) as Health);
  expect(judge(answers)).toBe(expected);
});

test("with three needed, two bad answers change nothing, and the mildest of three counts", () => {
  const patient = { worsenAfter: 3, improveAfter: 1 };
  expect(judge(["healthy", "unhealthy", "unhealthy"], patient)).toBe("healthy");
  expect(judge(["healthy", "unhealthy", "degraded", "unhealthy"], patient)).toBe("degraded");
});

const answers = fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 50 });

test("answers that stay the same are believed in the end", () => {
  fc.assert(
    fc.property(answers, fc.constantFrom(...all), (before, last) => {
      expect(judge([...before, last, last, last, last])).toBe(last);
    }),
  );
});

test("a verdict is never better than all of the last answers", () => {
  fc.assert(
    fc.property(answers, (row) => {
      const verdict = judge(row) as Health;
      const best = Math.min(...row.slice(-2).map((one) => severity[one]));
      expect(severity[verdict]).toBeGreaterThanOrEqual(best);
    }),
  );
});
