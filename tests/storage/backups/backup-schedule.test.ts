/** Backup schedule: when backups are made, what carries them away, and what is said of failures. */
import { expect, onTestFinished, test } from "vitest";
import { BackupCommandFailedError, BackupFailedError } from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import {
  BackupSchedule,
  type BackupScheduleDeps,
  type KnownBackup,
} from "../../../bot/storage/backups/backup-schedule.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

function setup({ everyMs = day, command = true } = {}) {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const facts = new Map<string, string>();
  const files: KnownBackup[] = [];
  const carried: string[] = [];
  const world = { diskFails: false, commandFails: false, commandHangs: false, killed: 0 };
  const backUp = async () => {
    if (world.diskFails) throw new BackupFailedError("no space");
    files.push({ file: `backup ${files.length + 1}`, atEpochMs: clock.epochMs() });
  };
  const runCommand: BackupScheduleDeps["runCommand"] = async (file, hear, signal) => {
    hear(`${"x".repeat(5_000)} sent ${file}`);
    if (world.commandFails) throw new BackupCommandFailedError("exit code 1");
    if (!world.commandHangs) return void carried.push(file);
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        world.killed += 1;
        reject(new BackupCommandFailedError("killed"));
      });
    });
  };
  const start = async () => {
    const schedule = new BackupSchedule({
      clock,
      publish: (event) => events.push(event),
      everyMs,
      backUp,
      find: async () => files,
      facts: {
        getFact: async (name) => facts.get(name),
        setFact: async (name, value) => void facts.set(name, value),
      },
      ...(command && { runCommand }),
    });
    onTestFinished(() => schedule.stop());
    await schedule.start();
    return schedule;
  };
  return { backUp, carried, clock, events, facts, files, start, world };
}

lifecycleConformance("backup-schedule", () => {
  const { backUp, clock, files } = setup();
  const component = new BackupSchedule({
    clock,
    publish: () => {},
    everyMs: 500,
    backUp,
    find: async () => files,
    facts: { getFact: async () => undefined, setFact: async () => {} },
  });
  return { component, clock };
});

test("the first backup comes two minutes after the start, the others one interval apart", async () => {
  const { clock, files, start } = setup();
  await start();
  await clock.advance(2 * minute - 1);
  expect(files).toHaveLength(0);
  await clock.advance(1);
  expect(files).toHaveLength(1);
  await clock.advance(day - 1);
  expect(files).toHaveLength(1);
  await clock.advance(1 + 2 * day);
  expect(files).toHaveLength(4);
});

test("a restart makes no backup while the last one is young, and knows its age", async () => {
  const { clock, files, start } = setup();
  const first = await start();
  await clock.advance(hour);
  await first.stop();
  await clock.advance(10 * hour);
  const second = await start();
  await clock.advance(minute);
  expect(second.snapshot().ageMs).toBe(11 * hour - minute);
  await clock.advance(12 * hour);
  expect(files).toHaveLength(1);
  await clock.advance(hour + minute);
  expect(files).toHaveLength(2);
});

test("a file that a wrong clock has named does not count as a backup", async () => {
  const { clock, files, start } = setup();
  files.push({ file: "from the future", atEpochMs: clock.epochMs() + 400 * day });
  const schedule = await start();
  await clock.advance(minute);
  expect(schedule.snapshot().ageMs).toBeNull();
  await clock.advance(minute);
  expect(files).toHaveLength(2);
});

test("a backup that fails is told, tried again every quarter of an hour, and well at last", async () => {
  const { clock, events, files, start, world } = setup({ command: false });
  world.diskFails = true;
  const schedule = await start();
  await clock.advance(2 * minute);
  expect(events).toMatchObject([{ type: "backup.failed", error: { code: "BACKUP_FAILED" } }]);
  expect(schedule.snapshot()).toMatchObject({ failure: "BACKUP_FAILED", ageMs: null });
  await clock.advance(15 * minute);
  expect(events).toHaveLength(2);
  world.diskFails = false;
  await clock.advance(15 * minute);
  expect(files).toHaveLength(1);
  expect(schedule.snapshot()).toMatchObject({ failure: null, ageMs: 0 });
});

test("the command runs once for each backup, and the end of its output is told", async () => {
  const { carried, clock, events, start } = setup();
  await start();
  await clock.advance(2 * minute + day);
  expect(carried).toEqual(["backup 1", "backup 2"]);
  expect(events[0]).toMatchObject({ type: "backup.carried-away", file: "backup 1" });
  const output = "output" in (events[0] ?? {}) ? String(Object(events[0]).output) : "";
  expect(output).toMatch(/^x+ sent backup 1$/);
  expect(output).toHaveLength(2_000);
});

test("a command that fails is told and tried again on the same backup, after a restart too", async () => {
  const { carried, clock, events, files, start, world } = setup();
  world.commandFails = true;
  const first = await start();
  await clock.advance(2 * minute + 15 * minute);
  const failed = { type: "backup.command-failed", file: "backup 1", output: /sent/ };
  expect(events).toMatchObject(
    [failed, failed].map((one) => ({ ...one, output: expect.any(String) })),
  );
  expect(first.snapshot().commandFailure).toBe("BACKUP_COMMAND_FAILED");
  await first.stop();
  world.commandFails = false;
  const second = await start();
  await clock.advance(2 * minute);
  expect(carried).toEqual(["backup 1"]);
  expect(files).toHaveLength(1);
  expect(second.snapshot().commandFailure).toBeNull();
});

test("a command that hangs is killed after half an hour, and at a drain at once", async () => {
  const { clock, events, start, world } = setup();
  world.commandHangs = true;
  const schedule = await start();
  await clock.advance(2 * minute + 30 * minute);
  expect(world.killed).toBe(1);
  expect(events).toMatchObject([
    { type: "backup.command-failed", error: { message: expect.stringContaining("30 minutes") } },
  ]);
  await clock.advance(15 * minute);
  await schedule.drain();
  expect(world.killed).toBe(2);
  expect(events).toHaveLength(1);
});

test("where none is made by itself, the command carries away what is made by hand", async () => {
  const { backUp, carried, clock, files, start } = setup({ everyMs: 0 });
  const schedule = await start();
  await clock.advance(10 * day);
  expect(files).toHaveLength(0);
  await backUp();
  schedule.wake();
  await clock.advance(0);
  expect(carried).toEqual(["backup 1"]);
});
