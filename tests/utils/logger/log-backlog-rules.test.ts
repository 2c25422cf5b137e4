/** Log backlog: tests that less important lines are refused sooner, and all beyond a limit. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LogLevel, logLevels } from "../../../bot/core/log-level.ts";
import {
  backlogBytesMax,
  isCaughtUp,
  isTaken,
} from "../../../bot/utils/logger/log-backlog-rules.ts";

const mib = 2 ** 20;

test.for<[number, readonly LogLevel[]]>([
  [0, ["error", "warn", "info", "debug"]],
  [4 * mib - 1, ["error", "warn", "info", "debug"]],
  [4 * mib, ["error", "warn", "info"]],
  [8 * mib, ["error", "warn"]],
  [12 * mib, ["error"]],
  [16 * mib - 1, ["error"]],
  [16 * mib, []],
  [1e12, []],
])("at %i bytes behind, %j are accepted", ([behindBytes, taken]) => {
  expect(logLevels.filter((level) => isTaken(level, behindBytes))).toEqual(taken);
});

test("whenever a level is accepted, all more important levels are accepted", () => {
  fc.assert(
    fc.property(fc.nat(20 * mib), (behindBytes) => {
      const taken = logLevels.map((level) => isTaken(level, behindBytes));
      expect(taken.lastIndexOf(true)).toBe(taken.filter(Boolean).length - 1);
    }),
  );
});

test("once the disk has caught up, every level is accepted with room to spare", () => {
  expect(isCaughtUp(0)).toBe(true);
  expect(isCaughtUp(backlogBytesMax.debug / 2)).toBe(false);
});
