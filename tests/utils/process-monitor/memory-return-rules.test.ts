/** Memory return: tests when garbage is collected, and when it is left alone. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decideReturn,
  nothingReturned,
} from "../../../bot/utils/process-monitor/memory-return-rules.ts";

const mb = 2 ** 20;

/** Percent of a processor, resident megabytes, and whether the limit was passed with this sample. */
type Sample = readonly [cpuPercent: number, rssMb: number, overLimit?: boolean];

/** Returns the numbers of the samples that led to a collection. */
function collections(samples: readonly Sample[]): readonly number[] {
  const found: number[] = [];
  let state = nothingReturned;
  for (const [index, [cpuPercent, rssMb, overLimit = false]] of samples.entries()) {
    state = decideReturn(state, { cpuPercent, rssBytes: rssMb * mb }, overLimit);
    if (state.collected) found.push(index);
  }
  return found;
}

const repeat = (count: number, sample: Sample) => Array.from({ length: count }, () => sample);

test.each<[string, readonly Sample[], readonly number[]]>([
  ["three calm samples", repeat(3, [2, 180]), [2]],
  ["two calm samples", repeat(2, [2, 180]), []],
  [
    "work in between",
    [
      [2, 180],
      [2, 180],
      [40, 180],
      [2, 180],
      [2, 180],
    ],
    [],
  ],
  ["work all the time", repeat(100, [40, 400]), []],
  ["a collection that gave back much", [...repeat(3, [2, 180]), ...repeat(50, [2, 140])], [2]],
  ["a collection that gave back nothing", repeat(50, [2, 180]), [2]],
  ["growth afterwards", [...repeat(3, [2, 180]), [2, 140], [2, 155], [2, 156]], [2, 5]],
  [
    "a limit passed in the middle of work",
    [
      [90, 400],
      [90, 520, true],
      [90, 300],
    ],
    [1],
  ],
])("after %s", (_what, samples, expected) => {
  expect(collections(samples)).toEqual(expected);
});

test("a process whose memory stays where it is collects at most once without a limit", () => {
  const cpu = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 200 });
  fc.assert(
    fc.property(cpu, fc.integer({ min: 16, max: 2_000 }), (percents, rssMb) => {
      const samples = percents.map((percent): Sample => [percent, rssMb]);
      expect(collections(samples).length).toBeLessThanOrEqual(1);
    }),
  );
});
