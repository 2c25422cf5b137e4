/**
 * Slow disk: tests that the least important lines are lost first and counted, and memory is
 * bounded.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import type { LogDisk } from "../../../bot/utils/logger/log-disk.ts";
import { BotLogger } from "../../../bot/utils/logger.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** A disk that writes nothing while it is stuck, and everything afterwards. */
class SlowDisk implements LogDisk {
  readonly open = fs.open;
  readonly close = fs.close;
  #waiting: (() => void)[] | undefined;

  stick(): void {
    this.#waiting = [];
  }

  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const write of waiting) write();
  }

  write: LogDisk["write"] = (...call) => this.#later(() => fs.write(...call));
  writev: LogDisk["writev"] = (...call) => this.#later(() => fs.writev(...call));

  #later(write: () => void): void {
    if (this.#waiting) this.#waiting.push(write);
    else write();
  }
}

function setup(disk?: LogDisk) {
  const directory = fs.mkdtempSync(join(tmpdir(), "slow-disk-"));
  const clock = new ManualClock();
  const stderr: string[] = [];
  const sink = (lines: string[]) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString());
        done();
      },
    });
  const create = () => {
    const log = new BotLogger({
      directory,
      level: "debug",
      keepDays: 14,
      profile: "production",
      clock,
      stdout: sink([]),
      stderr: sink(stderr),
      ...(disk && { disk }),
    });
    onTestFinished(async () => {
      await log.close();
      fs.rmSync(directory, { recursive: true, force: true });
    });
    return log;
  };
  const fileLines = () =>
    fs
      .readdirSync(directory)
      .filter((name) => name.endsWith(".log"))
      .flatMap((name) => fs.readFileSync(join(directory, name), "utf8").trim().split("\n"))
      .map((line) => JSON.parse(line));
  return { clock, create, directory, fileLines, stderr };
}

const filler = "x".repeat(3_900);
const mib = 2 ** 20;

test("a slow disk drops debug lines first, then info, and the important lines last", async () => {
  const disk = new SlowDisk();
  const { create, fileLines, stderr } = setup(disk);
  const log = create();
  disk.stick();

  for (let n = 0; n < 8_000; n++) {
    log.debug("much", { filler, n });
    log.info("much", { filler, n });
    if (n % 20 === 0) log.warn("important", { filler, n });
    if (n % 20 === 0) log.error("very-important", { filler, n });
  }

  const { behindBytes, drops } = log.snapshot();
  expect(log.snapshot().dropping).toBe(true);
  expect(behindBytes).toBeLessThan(17 * mib);
  expect(drops).toMatchObject({ warn: 0, error: 0 });
  expect(drops.debug).toBeGreaterThan(drops.info);
  expect(drops.info).toBeGreaterThan(5_000);
  expect(stderr).toEqual([]);

  disk.release();
  await expect.poll(() => log.snapshot()).toMatchObject({ dropping: false, behindBytes: 0 });
  await log.close();

  const lines = fileLines();
  const count = (event: string) => lines.filter((line) => line.event === event).length;
  expect(count("important")).toBe(400);
  expect(count("very-important")).toBe(400);
  expect(count("much")).toBe(16_000 - drops.debug - drops.info);
  expect(count("log.fallen-behind")).toBe(1);
  const told = lines.filter((line) => line.event === "log.caught-up");
  expect(told.map(({ facts }) => facts.dropped)).toEqual([drops]);
});

test("beyond the last limit important lines go to stderr, and to the file once it has room", async () => {
  const disk = new SlowDisk();
  const { create, fileLines, stderr } = setup(disk);
  const log = create();
  disk.stick();

  for (let n = 0; n < 7_000; n++) log.error("very-important", { filler, n });

  expect(log.snapshot().behindBytes).toBeLessThan(17 * mib);
  const dropped = log.snapshot().drops.error;
  expect(dropped).toBeGreaterThan(1_000);
  expect(stderr.filter((line) => line.includes("very-important"))).toHaveLength(dropped);

  disk.release();
  await expect.poll(() => log.snapshot().behindBytes).toBe(0);
  await log.close();
  // The logger kept the latest thousand of the refused lines.
  const numbers = fileLines()
    .filter((line) => line.event === "very-important")
    .map((line) => line.facts.n);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBe(7_000 - dropped + 1_000);
});

test("falling behind again is reported again, with its own count", async () => {
  const disk = new SlowDisk();
  const { create, fileLines } = setup(disk);
  const log = create();
  for (const _ of [1, 2]) {
    disk.stick();
    for (let n = 0; n < 3_000; n++) log.debug("much", { filler, n });
    disk.release();
    await expect.poll(() => log.snapshot()).toMatchObject({ dropping: false, behindBytes: 0 });
  }
  await log.close();

  const counts = fileLines()
    .filter((line) => line.event === "log.caught-up")
    .map((line) => line.facts.dropped.debug);
  expect(counts).toHaveLength(2);
  expect(counts[0] + counts[1]).toBe(log.snapshot().drops.debug);
});

test("a disk that writes nothing is noticed, however little is waiting", async () => {
  const disk = new SlowDisk();
  const { clock, create } = setup(disk);
  const log = create();
  disk.stick();
  expect(log.snapshot().stalledMs).toBe(0);

  log.info("happened");
  await clock.advance(30_000);

  expect(log.snapshot()).toMatchObject({ stalledMs: 30_000, dropping: false });
  disk.release();
  await expect.poll(() => log.snapshot().stalledMs).toBe(0);
});

test("a pipe that is not read for a while behaves like a slow disk", async (context) => {
  const { create, directory, stderr } = setup();
  const path = join(directory, `bot-${new Date().toISOString().slice(0, 10)}.log`);
  if (spawnSync("mkfifo", [path]).status !== 0) context.skip("there is no mkfifo here");
  const reader = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  onTestFinished(() => fs.closeSync(reader));
  const log = create();

  for (let n = 0; n < 3_000; n++) {
    log.debug("much", { filler, n });
    if (n % 100 === 0) {
      log.warn("important", { n });
      await new Promise((done) => setImmediate(done));
    }
  }
  expect(log.snapshot()).toMatchObject({ fileWritable: true, dropping: true });
  expect(log.snapshot().behindBytes).toBeGreaterThan(3 * mib);
  expect(log.snapshot().behindBytes).toBeLessThan(5 * mib);
  const dropped = log.snapshot().drops.debug;

  let text = "";
  const buffer = Buffer.alloc(65_536);
  const readSome = () => {
    try {
      for (;;) text += buffer.toString("utf8", 0, fs.readSync(reader, buffer));
    } catch (error) {
      // The pipe is empty for the moment.
      expect((error as { code: string }).code).toBe("EAGAIN");
    }
  };
  const isOver = () => {
    readSome();
    return text.includes('"log.caught-up"');
  };
  await expect.poll(isOver, { timeout: 10_000, interval: 1 }).toBe(true);
  const closed = log.close();
  const untilClosed = setInterval(readSome, 1);
  await closed;
  clearInterval(untilClosed);
  readSome();

  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const count = (event: string) => lines.filter((line) => line.event === event).length;
  expect(dropped).toBeGreaterThan(1_000);
  expect(count("much")).toBe(3_000 - dropped);
  expect(count("important")).toBe(30);
  expect(stderr).toEqual([]);
});

test("a file over its size limit is continued in parts that the sweep finds", async (context) => {
  const { clock, create, directory } = setup();
  const day = new Date().toISOString().slice(0, 10);
  const path = join(directory, `bot-${day}.log`);
  fs.writeFileSync(path, "");
  try {
    fs.truncateSync(path, 64 * mib - 1);
  } catch {
    context.skip("a file of 64 MiB cannot be made here");
  }
  const log = create();
  for (let n = 0; n < 3; n++) log.info("happened", { n, filler });
  await log.close();
  const parts = fs.readdirSync(directory).filter((name) => name.startsWith("bot-"));
  expect(parts.sort()).toEqual([`bot-${day}.1.log`, `bot-${day}.log`]);

  const later = create();
  clock.jumpEpoch(Date.now() + 30 * 86_400_000 - clock.epochMs());
  later.start();
  await clock.advance(5_000);
  expect(fs.readdirSync(directory).filter((name) => name.startsWith("bot-"))).toHaveLength(1);
});
