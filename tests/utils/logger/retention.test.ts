/** Retention: tests which files are removed by age and by size, and which never are. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sweepLogFiles } from "../../../bot/utils/logger/retention.ts";

const today = Date.UTC(2026, 0, 15);

/** @param sizes Bytes of each file to create, by name. */
function setup(sizes: Readonly<Record<string, number>>) {
  const directory = mkdtempSync(join(tmpdir(), "retention-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, bytes] of Object.entries(sizes)) {
    writeFileSync(join(directory, name), "");
    truncateSync(join(directory, name), bytes);
  }
  const sweep = (bytesMax: number, writing?: string) =>
    sweepLogFiles(directory, {
      keepSinceEpochMs: today - 5 * 86_400_000,
      bytesMax,
      writing: writing && join(directory, writing),
    });
  return { sweep, left: () => readdirSync(directory).sort() };
}

const days = {
  "bot-2026-01-09.log": 10,
  "bot-2026-01-10.log": 10,
  "bot-2026-01-12.log": 10,
  "bot-2026-01-12.2.log": 10,
  "bot-2026-01-12.10.log": 10,
  "bot-2026-01-15.log": 10,
};

test.for<[number, readonly string[]]>([
  [50, ["01-10", "01-12", "01-12.2", "01-12.10", "01-15"]],
  [49, ["01-12", "01-12.2", "01-12.10", "01-15"]],
  [30, ["01-12.2", "01-12.10", "01-15"]],
  [20, ["01-12.10", "01-15"]],
  [0, ["01-15"]],
])("with a limit of five days and %i bytes, %j are left", ([bytesMax, left]) => {
  const { left: names, sweep } = setup(days);
  const removed = sweep(bytesMax, "bot-2026-01-15.log");
  expect(names()).toEqual(left.map((name) => `bot-2026-${name}.log`).sort());
  const files = Object.keys(days).length - 1 - left.length;
  expect(removed).toEqual({ files, bytes: files * 10 });
});

test("when one day alone exceeds the limit, the part being written is kept", () => {
  const { left, sweep } = setup({
    "bot-2026-01-15.log": 10,
    "bot-2026-01-15.1.log": 10,
    "bot-2026-01-15.2.log": 50,
  });
  sweep(55, "bot-2026-01-15.2.log");
  expect(left()).toEqual(["bot-2026-01-15.2.log"]);
});

test("when the file being written is unknown, the newest file stays", () => {
  const { left, sweep } = setup(days);
  sweep(0);
  expect(left()).toEqual(["bot-2026-01-15.log"]);
});

test("the file being written stays, even if the clock says it is old", () => {
  const { left, sweep } = setup(days);
  sweep(0, "bot-2026-01-09.log");
  expect(left()).toEqual(["bot-2026-01-09.log"]);
});

test("other files are ignored, and a missing directory is not an error", () => {
  const others = { "notes.txt": 99, "bot-2020-01-01.txt": 99, "other-2020-01-01.log": 99 };
  const { left, sweep } = setup(others);
  expect(sweep(0)).toEqual({ files: 0, bytes: 0 });
  expect(left()).toEqual(Object.keys(others).sort());
  const rules = { keepSinceEpochMs: 0, bytesMax: 0, writing: undefined };
  expect(sweepLogFiles("/nonexistent", rules)).toEqual({ files: 0, bytes: 0 });
});
