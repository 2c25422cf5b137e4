/** Back-off: bounds that hold for every attempt and every chance. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fullJitter } from "../../bot/core/backoff.ts";

const options = { initialMs: 500, maxMs: 4_000 };

test.each([
  [1, 500],
  [2, 1_000],
  [3, 2_000],
  [4, 4_000],
  [5, 4_000],
  [2_000, 4_000],
  [0, 500],
  [-7, 500],
])("after attempt %i the delay is below %i ms", (attempt, boundMs) => {
  expect(fullJitter(options, attempt, () => 0)).toBe(0);
  expect(fullJitter(options, attempt, () => 1)).toBe(boundMs);
});

test("no delay is negative, infinite or beyond the maximum", () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.nat(10_000_000),
      fc.nat(1_000_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (initialMs, maxMs, attempt, chance) => {
        const delayMs = fullJitter({ initialMs, maxMs }, attempt, () => chance);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(maxMs);
      },
    ),
  );
});
