/** Recovery: tests which measure is taken, and how many restarts are too many. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { measureAgainst, strategies, type Trouble } from "../../../bot/core/recovery.ts";
import {
  decideRestart,
  restartRules,
} from "../../../bot/utils/fault-tolerance-manager/recovery-rules.ts";

const { intensity, periodMs } = restartRules;

test("the first restart happens at once", () => {
  const verdict = decideRestart(
    "component-stuck",
    { restartable: true, restartsAtMs: [] },
    1_000,
    () => 0.9,
  );
  expect(verdict).toEqual({ measure: "restart-component", delayMs: 0 });
});

const troubles = ["component-stuck", "component-failed"] as const;
const measures = [
  "restart-component",
  "restart-component",
  "restart-component",
  "restart-process",
  "restart-process",
] as const;

test.for(troubles.flatMap((trouble) => measures.map((_, recent) => [trouble, recent] as const)))(
  "%s, after %i restarts within the period",
  ([trouble, recent]) => {
    const restartsAtMs = Array(recent).fill(0);
    const decide = (restartable: boolean) =>
      decideRestart(trouble, { restartable, restartsAtMs }, 1, () => 0.5).measure;
    expect(decide(true)).toBe(measures[recent]);
    expect(decide(false)).toBe("restart-process");
  },
);

test("a component that cannot be restarted alone restarts the process", () => {
  const known = { restartable: false, restartsAtMs: [] };
  const verdict = decideRestart("component-failed", known, 0, () => 0);
  expect(verdict).toEqual({ measure: "restart-process", delayMs: 0 });
});

test("restarts within the period are limited, and older ones are forgotten", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 * periodMs }), { maxLength: 20 }), (ages) => {
      const nowMs = 10 * periodMs;
      const restartsAtMs = ages.map((age) => nowMs - age);
      const recent = ages.filter((age) => age < periodMs).length;
      const known = { restartable: true, restartsAtMs };
      const verdict = decideRestart("component-stuck", known, nowMs, () => 0.999);
      expect(verdict.measure).toBe(recent < intensity ? "restart-component" : "restart-process");
      if (verdict.measure === "restart-component") {
        expect(verdict.delayMs).toBeGreaterThanOrEqual(0);
        expect(verdict.delayMs).toBeLessThan(10_000);
      }
    }),
  );
});

test.for(Object.entries(strategies))("%s: no measure is tried twice", ([_, measures]) => {
  expect(new Set(measures).size).toBe(measures.length);
});

test.for(Object.entries(strategies))(
  "%s: each measure that fails is followed by the next one, and the last stays",
  ([trouble, row]) => {
    const due = (failed: number) => measureAgainst(trouble as Trouble, failed);
    expect(row.map((_, failed) => due(failed))).toEqual(row);
    expect(due(row.length)).toBe(row.at(-1));
    expect(due(100)).toBe(row.at(-1));
  },
);

test("an outage outside the process does not restart it", () => {
  expect(strategies["connection-lost"]).not.toContain("restart-process");
  expect(strategies["queue-full"]).not.toContain("restart-process");
  expect(strategies["disk-full"]).not.toContain("restart-process");
});
