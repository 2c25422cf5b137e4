import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import type { BotEvent } from "../../bot/core/events.ts";
import { BotLogger, type BotLoggerDeps, withCorrelation } from "../../bot/utils/logger.ts";
import { ManualClock } from "../support/manual-clock.ts";

/** Keeps the lines written to it; when stuck, never takes them. */
class FakeConsole extends Writable {
  text = "";
  #stuck = false;
  #release = () => {};
  set stuck(stuck: boolean) {
    this.#stuck = stuck;
    if (!stuck) this.#release();
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    if (this.#stuck) this.#release = done;
    else done();
  }
  get lines(): Record<string, unknown>[] {
    return this.text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }
}

function setup(options: Partial<BotLoggerDeps> = {}) {
  const parent = mkdtempSync(join(tmpdir(), "logger-"));
  const directory = options.directory ?? join(parent, "logs");
  const stdout = new FakeConsole();
  const stderr = new FakeConsole();
  const log = new BotLogger({
    directory,
    level: "debug",
    keepDays: 14,
    profile: "production",
    clock: new ManualClock(),
    stdout,
    stderr,
    ...options,
  });
  onTestFinished(async () => {
    await log.close();
    rmSync(parent, { recursive: true, force: true });
  });
  const fileLines = () => {
    const files = readdirSync(directory).filter((name) => name.endsWith(".log"));
    const text = files.map((name) => readFileSync(join(directory, name), "utf8")).join("");
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { log, directory, parent, stdout, stderr, fileLines };
}

test("a line is the same JSON on the console and in the day's file", async () => {
  const { directory, fileLines, log, stdout } = setup();

  log.info("message.done", { attempts: 1 });
  await log.close();

  const line = {
    at: "2026-01-01T00:00:00.000Z",
    level: "info",
    event: "message.done",
    facts: { attempts: 1 },
  };
  expect(stdout.lines).toEqual([line]);
  expect(fileLines()).toEqual([line]);
  const [name = ""] = readdirSync(directory).filter((entry) => entry.endsWith(".log"));
  expect(name).toMatch(/^bot-\d{4}-\d\d-\d\d\.log$/);
  expect(statSync(join(directory, name)).mode & 0o077).toBe(0);
  expect(statSync(directory).mode & 0o077).toBe(0);
});

test("business, performance and security lines name their kind", () => {
  const { log, stdout } = setup();

  log.business("user_registered", 42, { balance: 50 });
  log.performance("database_query", 12.5, { table: "users" });
  log.security("suspicious_activity", { userId: 42, action: "rapid_requests" });

  expect(stdout.lines).toMatchObject([
    { level: "info", kind: "business", event: "user_registered", userId: 42 },
    { level: "info", kind: "performance", event: "database_query", durationMs: 12.5 },
    { level: "warn", kind: "security", event: "suspicious_activity", facts: { userId: 42 } },
  ]);
});

test.each([
  ["error", ["error"]],
  ["warn", ["error", "warn"]],
  ["info", ["error", "warn", "info"]],
  ["debug", ["error", "warn", "info", "debug"]],
] as const)("at level %s, %j are written", (level, written) => {
  const { log, stdout } = setup({ level });

  for (const method of ["error", "warn", "info", "debug"] as const) log[method]("happened");

  expect(stdout.lines.map((line) => line["level"])).toEqual(written);
});

test("at a terminal in development the console shows only warnings and errors, in a readable form", () => {
  const stdout = Object.assign(new FakeConsole(), { isTTY: true });
  const { log } = setup({ profile: "development", stdout });

  log.info("process.started");
  log.warn("intake.failed", { code: "X\n\u001b[2J\u009b2J" });

  expect(stdout.text).toMatch(/^00:00:00\.000 WARN {2}intake\.failed \{.*\}\n$/);
  expect(stdout.text.slice(0, -1)).not.toMatch(/\p{Cc}/u);
});

test("a terminal with colours shows the level in colour", () => {
  const stdout = Object.assign(new FakeConsole(), { isTTY: true, hasColors: () => true });
  const { log } = setup({ profile: "development", stdout });

  log.error("intake.failed");

  expect(stdout.text).toContain("00:00:00.000 \u001b[31mERROR\u001b[39m intake.failed ");
});

test.each([
  { profile: "production", isTTY: true },
  { profile: "test", isTTY: true },
  { profile: "development", isTTY: false },
] as const)("the console shows every line as JSON: %j", ({ isTTY, profile }) => {
  const stdout = Object.assign(new FakeConsole(), { isTTY });
  const { log } = setup({ profile, stdout });

  log.info("process.started");

  expect(stdout.lines).toMatchObject([{ level: "info", event: "process.started" }]);
});

test("lines inside a correlation carry its fields, even after waiting and when nested", async () => {
  const { log, stdout } = setup();

  await withCorrelation({ cid: "c1", updateId: 7 }, async () => {
    await Promise.resolve();
    withCorrelation({ messageId: 9 }, () => log.info("inner"));
    log.info("outer");
  });
  log.info("none");

  expect(stdout.lines).toEqual([
    expect.objectContaining({ event: "inner", cid: "c1", updateId: 7, messageId: 9 }),
    expect.objectContaining({ event: "outer", cid: "c1", updateId: 7 }),
    expect.not.objectContaining({ cid: expect.anything() }),
  ]);
  expect(stdout.lines[1]).not.toHaveProperty("messageId");
});

const ref = { messageId: 1, messageType: "update", pool: "handling" } as const;
const error = { code: "X", message: "x", atEpochMs: 0 };

test.each<[BotEvent, string]>([
  [{ type: "message.done", ref, attempts: 1, durationMs: 1, waitedMs: 1 }, "debug"],
  [{ type: "message.dead-lettered", ref, reason: "refused", attempts: 1, error }, "warn"],
  [{ type: "message.dead-lettered", ref, reason: "quarantined", attempts: 1, error }, "error"],
  [{ type: "health.changed", probe: "p", status: "healthy", reason: undefined }, "info"],
  [{ type: "health.changed", probe: "p", status: "degraded", reason: "r" }, "warn"],
  [{ type: "health.changed", probe: "p", status: "unhealthy", reason: "r" }, "error"],
  [{ type: "component.drained", component: "c", left: [] }, "info"],
  [{ type: "component.drained", component: "c", left: ["one"] }, "warn"],
  [{ type: "process.started", previousEnd: "clean" }, "info"],
  [{ type: "process.started", previousEnd: "unclean" }, "warn"],
  [{ type: "storage.failed", error }, "error"],
])("event %j is logged at level %s", (event, level) => {
  const { log, stdout } = setup();

  log.listener(event);

  expect(stdout.lines).toMatchObject([{ level, event: event.type }]);
});

test("a business event becomes a business line", () => {
  const { log, stdout } = setup();

  log.listener({ type: "business.recorded", name: "order_paid", userId: 5, facts: { id: 1 } });

  expect(stdout.lines).toMatchObject([
    { kind: "business", event: "order_paid", userId: 5, facts: { id: 1 } },
  ]);
});

test("a console that is not read drops and counts lines and uses no more memory", async () => {
  const { fileLines, log, stdout } = setup();
  stdout.stuck = true;

  for (let line = 0; line < 1_000; line += 1) log.info("much", { filler: "x".repeat(3_000) });

  expect(stdout.writableLength).toBeLessThan(1.1 * 1024 * 1024);
  expect(log.snapshot().consoleDrops).toBeGreaterThan(500);
  stdout.stuck = false;
  await log.close();
  expect(fileLines()).toHaveLength(1_000);
});

test("a closed console does not end the process", async () => {
  const { fileLines, log, stdout } = setup();

  stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  await new Promise((resolve) => setImmediate(resolve));
  log.info("still here");
  await log.close();

  expect(fileLines()).toMatchObject([{ event: "still here" }]);
  expect(log.snapshot().consoleDrops).toBe(1);
});

test("a process whose console was closed by its reader goes on and ends with 0", async () => {
  const directory = mkdtempSync(join(tmpdir(), "logger-epipe-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const program = `
    const { BotLogger } = await import(process.argv[1]);
    const { systemClock } = await import(process.argv[2]);
    const log = new BotLogger({
      directory: process.argv[3], level: "info", keepDays: 14, profile: "production",
      clock: systemClock,
    });
    for (let n = 0; n < 300; n += 1) {
      log.info("line", { n });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await log.close();
  `;
  const fileUrl = (path: string) => new URL(path, import.meta.url).href;
  const files = [fileUrl("../../bot/utils/logger.ts"), fileUrl("../../bot/core/clock.ts")];
  const child = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    program,
    ...files,
    directory,
  ]);
  child.stdout.once("data", () => child.stdout.destroy());

  const code = await new Promise((resolve) => child.once("exit", resolve));

  expect(code).toBe(0);
  const [name = ""] = readdirSync(directory).filter((entry) => entry.endsWith(".log"));
  expect(readFileSync(join(directory, name), "utf8").trim().split("\n")).toHaveLength(300);
});

test.skipIf(!existsSync("/dev/full"))(
  "a full log disk moves important lines to stderr",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "logger-full-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const today = new Date().toISOString().slice(0, 10);
    symlinkSync("/dev/full", join(directory, `bot-${today}.log`));
    const { log, stderr, stdout } = setup({ directory });

    log.info("before");
    while (log.snapshot().fileWritable) await new Promise((resolve) => setTimeout(resolve, 5));
    log.warn("important");
    log.info("unimportant");

    expect(stderr.lines).toMatchObject([
      { event: "log.file-failed", facts: { thrown: { code: "ENOSPC" } } },
      { event: "important" },
    ]);
    expect(stdout.lines.map((line) => line["event"])).toEqual([
      "before",
      "important",
      "unimportant",
    ]);
    await log.close();
  },
);

test("a log directory that cannot be created is reported, and the logger works without it", async () => {
  const parent = mkdtempSync(join(tmpdir(), "logger-none-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  writeFileSync(join(parent, "file"), "");
  const { log, stderr, stdout } = setup({ directory: join(parent, "file", "logs") });

  log.error("happened");
  await log.close();

  expect(stderr.lines).toMatchObject([{ event: "log.file-failed" }, { event: "happened" }]);
  expect(stdout.lines).toMatchObject([{ event: "happened" }]);
});

const tornRecords = ["", "{", "null", "[]", '{"files":5}', '{"files":[{}]}', '{"files":[null]}'];

test.each(tornRecords)("a damaged rotation record %j does no harm", async (torn) => {
  const directory = mkdtempSync(join(tmpdir(), "logger-torn-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, ".rotation.json"), torn);
  const { log, stdout } = setup({ directory });

  log.info("happened");
  await log.close();

  expect(stdout.lines).toMatchObject([{ event: "happened" }]);
  const record = JSON.parse(readFileSync(join(directory, ".rotation.json"), "utf8"));
  expect(record.files).toHaveLength(1);
});

test("a file older than the days to keep is removed when the logger opens its own", async () => {
  const directory = mkdtempSync(join(tmpdir(), "logger-old-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // The rotation removes only files it has on record, and this is that record.
  const made = (fileName: string, daysAgo: number) => {
    const name = join(directory, fileName);
    const date = Date.now() - daysAgo * 86_400_000;
    return {
      name,
      date,
      hash: createHash("sha256").update(`${name}LOG_FILE${date}`).digest("hex"),
    };
  };
  const files = [made("bot-old.log", 15), made("bot-young.log", 13)];
  for (const { name } of files) writeFileSync(name, "");
  writeFileSync(join(directory, ".rotation.json"), JSON.stringify({ files }));
  const { log } = setup({ directory });

  await log.close();

  expect(readdirSync(directory)).not.toContain("bot-old.log");
  expect(readdirSync(directory)).toContain("bot-young.log");
});

test("closing twice is harmless, and later lines go to stderr", async () => {
  const { log, stderr, stdout } = setup();
  log.info("before");

  await Promise.all([log.close(), log.close()]);
  await log.close();
  log.error("after");
  log.info("unimportant");

  expect(stdout.lines).toMatchObject([{ event: "before" }]);
  expect(stderr.lines).toMatchObject([{ event: "after" }]);
});

test("closing does not wait forever for a console that is not read", async () => {
  const clock = new ManualClock();
  const { log, stdout } = setup({ clock });
  stdout.stuck = true;
  log.info("stuck");

  const closed = log.close();
  await clock.advance(2_000);
  await closed;

  expect(clock.pending).toBe(0);
});

test("everything logged before closing is in the file", async () => {
  const { fileLines, log } = setup();

  for (let n = 0; n < 5_000; n += 1) log.info("line", { n });
  await log.close();

  expect(fileLines().map((line) => (line["facts"] as { n: number }).n)).toEqual(
    Array.from({ length: 5_000 }, (_, n) => n),
  );
});
