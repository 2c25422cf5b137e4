import fc from "fast-check";
import { expect, test } from "vitest";
import { Distribution } from "../../bot/telemetry/distribution.ts";

const durations = fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 300 });
const share = fc.constantFrom(0.5, 0.95, 0.99, 1);

function exact(sorted: readonly number[], of: number): number {
  return sorted[Math.ceil(of * sorted.length) - 1] ?? 0;
}

test("a percentile is accurate to within 5 %", () => {
  fc.assert(
    fc.property(durations, share, (all, of) => {
      const distribution = new Distribution();
      for (const duration of all) distribution.record(duration);
      const right = exact(
        all.toSorted((one, other) => one - other),
        of,
      );
      expect(distribution.percentile(of)).toBeGreaterThanOrEqual(right - 0.1);
      expect(distribution.percentile(of)).toBeLessThanOrEqual(right * 1.05 + 0.1);
    }),
  );
});

test("the sum of two distributions equals one that recorded everything", () => {
  fc.assert(
    fc.property(durations, durations, share, (some, others, of) => {
      const [one, other, both] = [new Distribution(), new Distribution(), new Distribution()];
      for (const duration of some) one.record(duration);
      for (const duration of others) other.record(duration);
      for (const duration of [...some, ...others]) both.record(duration);
      one.add(other);
      expect(one.percentile(of)).toBe(both.percentile(of));
      expect(one.count).toBe(both.count);
    }),
  );
});

test.each([0, -5, Number.POSITIVE_INFINITY])("a duration of %d is bounded", (ms) => {
  const distribution = new Distribution();
  distribution.record(ms);

  expect(distribution.percentile(0.5)).toBeGreaterThanOrEqual(1);
  expect(distribution.percentile(0.5)).toBeLessThanOrEqual(3_600_000 * 1.05);
});

test("a percentile of no durations is zero", () => {
  expect(new Distribution().percentile(0.99)).toBe(0);
});
