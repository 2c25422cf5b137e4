/** Safe mode rules: test which deaths count as a series. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { countDeaths, type Life } from "../../../bot/utils/process-monitor/safe-mode-rules.ts";

const minute = 60_000;

/** Returns runs of the given lengths in milliseconds, back to back, the last ending at `endMs`. */
function lives(endMs: number, ...lengths: readonly (readonly [number, "clean" | "unclean"])[]) {
  const found: Life[] = [];
  let endedAtEpochMs = endMs;
  for (const [lengthMs, end] of lengths.toReversed()) {
    const startedAtEpochMs = endedAtEpochMs - lengthMs;
    found.unshift({ startedAtEpochMs, endedAtEpochMs, clean: end === "clean" });
    endedAtEpochMs = startedAtEpochMs;
  }
  return found;
}

const short = [5_000, "unclean"] as const;
const long = [11 * minute, "unclean"] as const;
const stopped = [5_000, "clean"] as const;

test.for<{ title: string; before: Life[]; deaths: number }>([
  { title: "a first start", before: [], deaths: 0 },
  { title: "two deaths", before: lives(0, short, short), deaths: 2 },
  { title: "many deaths", before: lives(0, ...Array(50).fill(short)), deaths: 50 },
  { title: "a stop in between", before: lives(0, short, stopped, short, short), deaths: 2 },
  { title: "a stop last", before: lives(0, short, short, short, stopped), deaths: 0 },
  { title: "a healthy life in between", before: lives(0, short, long, short, short), deaths: 2 },
  { title: "a long rest since", before: lives(-11 * minute, short, short, short), deaths: 0 },
])("$title: $deaths in a row", ({ before, deaths }) => {
  expect(countDeaths(before, 0)).toBe(deaths);
});

test("only the latest lives count, and none after a clean end", () => {
  const length = fc.integer({ min: 1, max: 20 * minute });
  const life = fc.tuple(length, fc.constantFrom("clean" as const, "unclean" as const));
  fc.assert(
    fc.property(fc.array(life, { maxLength: 60 }), (history) => {
      const deaths = countDeaths(lives(0, ...history), 0);
      const last = history.slice(history.length - deaths);
      expect(last.every(([ms, end]) => ms < 10 * minute && end === "unclean")).toBe(true);
    }),
  );
});
