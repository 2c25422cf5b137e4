/** Restart ledger: tests that every start and end is on disk with its cause, however it ended. */
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RestartLedger } from "../../../bot/utils/process-monitor/restart-ledger.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "ledger-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  let pid = 100;
  const boot = (explain: Parameters<RestartLedger["begin"]>[0] = () => undefined) => {
    const ledger = new RestartLedger({ directory, clock, pid: ++pid, version: "1.2.3" });
    ledger.begin(explain);
    return ledger;
  };
  return { boot, clock, file: join(directory, "restarts.jsonl") };
}

test("a stop is recorded with its reason, a kill as an unclean end of unknown cause", async () => {
  const { boot, clock } = setup();
  const first = boot();
  await clock.advance(1_000);
  first.end({ cause: "SIGTERM", clean: true });
  boot();
  await clock.advance(2_000);
  const third = boot();
  expect(third.records.map(({ end, pid }) => [pid, end?.cause, end?.clean])).toEqual([
    [101, "SIGTERM", true],
    [102, "unknown", false],
    [103, undefined, undefined],
  ]);
  expect(third.lives.map((life) => life.endedAtEpochMs - life.startedAtEpochMs)).toEqual([
    1_000, 2_000,
  ]);
});

test("an explanation of the previous end is asked for and kept", () => {
  const { boot } = setup();
  boot();
  boot((pid) => (pid === 101 ? { cause: "hang", detail: "in loop" } : undefined));
  expect(boot().records[0]?.end).toMatchObject({ cause: "hang", detail: "in loop", clean: false });
});

test("an end is recorded once", () => {
  const { boot } = setup();
  const first = boot();
  first.end({ cause: "defect", clean: false });
  first.end({ cause: "SIGTERM", clean: true });
  expect(boot().records[0]?.end?.cause).toBe("defect");
});

test("a torn last line, noise and an empty file do no harm", () => {
  const { boot, file } = setup();
  boot().end({ cause: "SIGTERM", clean: true });
  appendFileSync(file, '{"startedAtEpochMs":1,"pi');
  expect(boot().records).toHaveLength(2);
  writeFileSync(file, "noise\n\n[]\nnull\n");
  expect(boot().records).toHaveLength(1);
  writeFileSync(file, "");
  expect(boot().records).toHaveLength(1);
});

test("it keeps the latest five hundred records, readable only by their owner", async () => {
  const { boot, clock, file } = setup();
  for (let start = 0; start < 520; start++) {
    boot();
    await clock.advance(1);
  }
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(500);
  expect(statSync(file).mode & 0o077).toBe(0);
});
