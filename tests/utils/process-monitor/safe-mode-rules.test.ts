/** Safe mode rules: test when a process that keeps dying is held back, and for how long. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decideSafeMode, type Life } from "../../../bot/utils/process-monitor/safe-mode-rules.ts";

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

test.for<{ title: string; before: Life[]; holdMs: number | undefined }>([
  { title: "a first start", before: [], holdMs: undefined },
  { title: "two deaths", before: lives(0, short, short), holdMs: undefined },
  { title: "three deaths", before: lives(0, short, short, short), holdMs: 10_000 },
  { title: "four", before: lives(0, ...Array(4).fill(short)), holdMs: 20_000 },
  { title: "many", before: lives(0, ...Array(50).fill(short)), holdMs: 300_000 },
  { title: "a stop in between", before: lives(0, short, stopped, short, short), holdMs: undefined },
  {
    title: "a healthy life in between",
    before: lives(0, short, long, short, short),
    holdMs: undefined,
  },
  {
    title: "a long rest since",
    before: lives(-11 * minute, short, short, short),
    holdMs: undefined,
  },
])("$title", ({ before, holdMs }) => {
  const verdict = decideSafeMode(before, 3, 0, () => 1);
  if (holdMs === undefined) expect(verdict).toEqual({ safe: false });
  else expect(verdict).toMatchObject({ safe: true, holdMs });
});

test("no hold is shorter than five seconds or longer than five minutes", () => {
  const length = fc.integer({ min: 1, max: 20 * minute });
  const life = fc.tuple(length, fc.constantFrom("clean" as const, "unclean" as const));
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(life, { maxLength: 60 }), chance, (history, luck) => {
      const verdict = decideSafeMode(lives(0, ...history), 3, 0, () => luck);
      if (!verdict.safe) return;
      expect(verdict.deaths).toBeGreaterThanOrEqual(3);
      expect(verdict.holdMs).toBeGreaterThanOrEqual(5_000);
      expect(verdict.holdMs).toBeLessThanOrEqual(300_000);
    }),
  );
});
