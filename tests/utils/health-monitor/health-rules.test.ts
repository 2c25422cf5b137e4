/** Health: tests that bad answers are believed at once, and good ones once they are repeated. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Health,
  type HealthVerdict,
  nextVerdict,
  severity,
} from "../../../bot/utils/health-monitor/health-rules.ts";

const all: readonly Health[] = ["healthy", "degraded", "unhealthy"];
const judge = (answers: readonly Health[], hysteresis = { worsenAfter: 1, improveAfter: 2 }) =>
  answers.reduce<HealthVerdict | undefined>(
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

/**
 * The verdict after one answer, and whether it is in doubt, when two answers are needed either way.
 */
const transitions: Record<Health, Record<Health, readonly [Health, "sure" | "in doubt"]>> = {
  healthy: {
    healthy: ["healthy", "sure"],
    degraded: ["healthy", "in doubt"],
    unhealthy: ["healthy", "in doubt"],
  },
  degraded: {
    healthy: ["degraded", "in doubt"],
    degraded: ["degraded", "sure"],
    unhealthy: ["degraded", "in doubt"],
  },
  unhealthy: {
    healthy: ["unhealthy", "in doubt"],
    degraded: ["unhealthy", "in doubt"],
    unhealthy: ["unhealthy", "sure"],
  },
};
const both = { worsenAfter: 2, improveAfter: 2 };

test.for(all.flatMap((status) => all.map((answer) => [status, answer] as const)))(
  "%s, without doubts, gets the answer %s once, then twice",
  ([status, answer]) => {
    const once = nextVerdict({ status, dissent: [] }, answer, both);
    const [expected, sure] = transitions[status][answer];
    expect(once).toEqual({ status: expected, dissent: sure === "sure" ? [] : [answer] });
    // Any answer is believed when it is repeated.
    expect(nextVerdict(once, answer, both)).toEqual({ status: answer, dissent: [] });
  },
);

test.for(all.flatMap((status) => all.map((answer) => [status, answer] as const)))(
  "%s, in doubt, keeps its doubt only as long as the answers are on one side: %s",
  ([status, answer]) => {
    for (const doubt of all.filter((one) => one !== status)) {
      const next = nextVerdict({ status, dissent: [doubt] }, answer, both);
      const sameSide =
        answer !== status &&
        severity[answer] > severity[status] === severity[doubt] > severity[status];
      if (answer === status) expect(next).toEqual({ status, dissent: [] });
      else if (sameSide) expect(next.status).not.toBe(status);
      else expect(next).toEqual({ status, dissent: [answer] });
    }
  },
);

test("when three are needed, two bad answers change nothing, and the mildest of three counts", () => {
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
