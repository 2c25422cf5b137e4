/** Backup rules: when a backup and its command are due, as tables and properties. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type BackupTimes,
  backupDueInMs,
  commandDueInMs,
} from "../../../bot/storage/backups/backup-rules.ts";

const minute = 60_000;
const day = 86_400_000;
const quiet: BackupTimes = { everyMs: day, upMs: day, ageMs: undefined, failedAgoMs: undefined };

test.each<[string, Partial<BackupTimes>, number]>([
  ["is due at once when there is none", {}, 0],
  ["waits until the process has run for a while", { upMs: 0 }, 2 * minute],
  ["waits for the rest of its interval, over restarts", { ageMs: day - 1_000 }, 1_000],
  ["is due when the last one is as old as the interval", { ageMs: day }, 0],
  ["is tried again a quarter of an hour after a failure", { failedAgoMs: 0 }, 15 * minute],
  ["is never due when none is asked for", { everyMs: 0 }, Number.POSITIVE_INFINITY],
  ["begins within a short interval", { everyMs: 3_000, upMs: 0 }, 3_000],
])("a backup %s", (_, change, dueInMs) => {
  expect(backupDueInMs({ ...quiet, ...change })).toBe(dueInMs);
});

test.each<[string, Partial<BackupTimes>, number]>([
  ["is due at once", {}, 0],
  ["waits until the process has run for a while", { upMs: 0 }, 2 * minute],
  ["is tried again a quarter of an hour after a failure", { failedAgoMs: 0 }, 15 * minute],
  ["serves backups made by hand where none is made by itself", { everyMs: 0 }, 0],
])("the command %s", (_, change, dueInMs) => {
  expect(commandDueInMs({ ...quiet, ...change })).toBe(dueInMs);
});

test("whatever happened, the next backup comes within two intervals of the last good one", () => {
  const ms = fc.integer({ min: 0, max: 10 * day });
  const times = fc.record({
    everyMs: fc.integer({ min: 1, max: 10 * day }),
    upMs: ms,
    ageMs: fc.option(ms, { nil: undefined }),
    failedAgoMs: fc.option(ms, { nil: undefined }),
  });
  fc.assert(
    fc.property(times, (given) => {
      const dueInMs = backupDueInMs(given);
      expect(dueInMs).toBeGreaterThanOrEqual(0);
      expect(dueInMs).toBeLessThanOrEqual(given.everyMs);
      expect(backupDueInMs({ ...given, ...later(given, dueInMs) })).toBe(0);
    }),
  );
});

function later({ ageMs, failedAgoMs, upMs }: BackupTimes, ms: number): Partial<BackupTimes> {
  return {
    upMs: upMs + ms,
    ageMs: ageMs === undefined ? undefined : ageMs + ms,
    failedAgoMs: failedAgoMs === undefined ? undefined : failedAgoMs + ms,
  };
}
