/** Logger upkeep: tests a full disk that is freed again, and the removal of old files. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { BotLogger } from "../../../bot/utils/logger.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";

function setup(mount = false) {
  const directory = mkdtempSync(join(tmpdir(), "logger-upkeep-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const mounted =
    mount &&
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", directory]).status === 0;
  if (mounted) onTestFinished(() => void execFileSync("umount", ["-l", directory]));
  const clock = new ManualClock();
  const stderr: string[] = [];
  const sink = (lines: string[]) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString());
        done();
      },
    });
  const options = { directory, level: "info", keepDays: 14, profile: "production" } as const;
  const log = new BotLogger({ ...options, clock, stdout: sink([]), stderr: sink(stderr) });
  onTestFinished(() => log.close());
  log.start();
  const logFiles = () => readdirSync(directory).filter((name) => name.startsWith("bot-"));
  return { clock, directory, log, logFiles, mounted, stderr };
}

test("a full disk loses no important line, and the file continues once there is room", async (context) => {
  const { clock, directory, log, logFiles, mounted, stderr } = setup(true);
  if (!mounted) context.skip("a small file system cannot be mounted here (needs root)");
  log.error("before");
  await expect.poll(() => logFiles().length).toBe(1);
  const ballast = join(directory, "ballast");
  try {
    writeFileSync(ballast, Buffer.alloc(1_000_000));
  } catch {
    // The write was meant to fill the disk, and it has.
  }
  for (let line = 0; line < 20; line++) {
    log.error("filling", { padding: "x".repeat(500), line });
    await settle();
  }
  await expect.poll(() => log.snapshot().fileWritable).toBe(false);
  log.error("while it was full");
  await clock.advance(60_000);
  expect(log.snapshot()).toMatchObject({ fileWritable: false, rebuilds: 0 });
  expect(stderr.join("")).toContain("while it was full");
  rmSync(ballast);
  await clock.advance(5_000);
  expect(log.snapshot()).toMatchObject({ fileWritable: true, rebuilds: 1 });
  log.error("after");
  const contents = () =>
    logFiles()
      .map((name) => readFileSync(join(directory, name), "utf8"))
      .join("");
  await expect.poll(contents).toContain('"after"');
  expect(contents()).toContain("while it was full");
  expect(contents()).toContain("log.file-restored");
});

test.for<[string, (path: string) => void]>([
  ["deleted", (path) => rmSync(path)],
  ["moved, as logrotate does it", (path) => renameSync(path, `${path}.moved`)],
  [
    "replaced by another",
    (path) => {
      rmSync(path);
      writeFileSync(`${path}.new`, "");
      renameSync(`${path}.new`, path);
    },
  ],
])("a log file that is %s is noticed within seconds, and opened again", async ([, harm]) => {
  const { clock, directory, log, logFiles } = setup();
  log.error("before");
  const today = () => logFiles().find((name) => name.endsWith(".log")) ?? "";
  const contents = () => (today() ? readFileSync(join(directory, today()), "utf8") : "");
  await expect.poll(contents).toContain("before");
  await clock.advance(5_000);
  harm(join(directory, today()));
  await clock.advance(5_000);
  log.error("after");
  await expect.poll(contents).toContain('"after"');
  expect(contents()).toContain("log.file-restored");
  expect(log.tail(5)).toContainEqual(expect.objectContaining({ event: "log.file-failed" }));
  expect(log.snapshot()).toMatchObject({ fileWritable: true, rebuilds: 1 });
});

test("files older than the limit are removed every hour, and other files stay", async () => {
  const { clock, directory } = setup();
  const old = ["bot-2025-12-17.log", "bot-2025-12-17.log.1", "bot-2024-01-01.log"];
  const kept = ["bot-2025-12-18.log", "notes.txt", "bot-2025-12-17.txt", "other-2020-01-01.log"];
  for (const name of [...old, ...kept]) writeFileSync(join(directory, name), "x");
  await clock.advance(3_600_000);
  const left = readdirSync(directory);
  expect(left.filter((name) => old.includes(name))).toEqual([]);
  expect(left).toEqual(expect.arrayContaining(kept));
});

test("a closed logger removes no more files", async () => {
  const { clock, log } = setup();
  await log.close();
  expect(clock.pending).toBe(0);
  log.start();
  expect(clock.pending).toBe(0);
});
