/**
 * Log sampling: tests that a minute shows five lines, then one in a hundred, and no count is lost.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decideSample,
  isWindowOver,
  type SampleWindow,
  sampleRules,
} from "../../../bot/utils/logger/log-sampling-rules.ts";

const seen = (lines: number, suppressed: number): SampleWindow => ({
  startedAtMs: 1_000,
  lines,
  suppressed,
});

test.for<[string, SampleWindow | undefined, number, boolean, number, SampleWindow]>([
  ["the first of all", undefined, 1_000, true, 0, seen(1, 0)],
  ["the fifth", seen(4, 0), 1_001, true, 0, seen(5, 0)],
  ["the sixth", seen(5, 0), 1_001, false, 0, seen(6, 1)],
  ["the hundred and fourth", seen(103, 98), 2_000, false, 0, seen(104, 99)],
  ["the hundredth after the fifth", seen(104, 99), 2_000, true, 99, seen(105, 0)],
  ["the next one after that", seen(105, 0), 2_000, false, 0, seen(106, 1)],
  ["the last of the minute", seen(7, 2), 60_999, false, 0, seen(8, 3)],
  [
    "the first of the next minute reports what was left out",
    seen(7, 2),
    61_000,
    true,
    2,
    { startedAtMs: 61_000, lines: 1, suppressed: 0 },
  ],
])("%s", ([, window, nowMs, write, suppressed, after]) => {
  expect(decideSample(window, nowMs)).toEqual({ write, suppressed, window: after });
});

/** Generates milliseconds between lines: floods, and pauses longer than a minute. */
const pauses = fc.array(fc.oneof({ weight: 20, arbitrary: fc.nat(50) }, fc.nat(90_000)), {
  maxLength: 2_000,
});

test("in any history, every line is written or reported exactly once", () => {
  fc.assert(
    fc.property(pauses, (history) => {
      let window: SampleWindow | undefined;
      let nowMs = 0;
      let known = 0;
      for (const pauseMs of history) {
        nowMs += pauseMs;
        const verdict = decideSample(window, nowMs);
        if (!verdict.write) expect(verdict.suppressed).toBe(0);
        known += (verdict.write ? 1 : 0) + verdict.suppressed;
        window = verdict.window;
      }
      expect(known + (window?.suppressed ?? 0)).toBe(history.length);
    }),
  );
});

test("in any history, a minute shows its first five lines and one in a hundred of the others", () => {
  fc.assert(
    fc.property(pauses, (history) => {
      let window: SampleWindow | undefined;
      let nowMs = 0;
      let lines = 0;
      let written = 0;
      for (const pauseMs of history) {
        nowMs += pauseMs;
        if (!window || isWindowOver(window, nowMs)) [lines, written] = [0, 0];
        const verdict = decideSample(window, nowMs);
        lines++;
        if (verdict.write) written++;
        const { inFull, thenOneIn } = sampleRules;
        const beyond = Math.floor(Math.max(0, lines - inFull) / thenOneIn);
        expect(written).toBe(Math.min(lines, inFull) + beyond);
        window = verdict.window;
      }
    }),
  );
});
