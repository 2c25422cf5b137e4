/** Running logger: tests its level, its sampling, its latest lines and their listeners. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { RateLimitedError } from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { type LogLevel, logLevels } from "../../../bot/core/log-level.ts";
import type { LogLine } from "../../../bot/utils/logger/line-format.ts";
import { BotLogger, type BotLoggerDeps } from "../../../bot/utils/logger.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const ref = { messageId: 1, messageType: "send", pool: "answering" } as const;
const error = { code: "STORAGE_FULL", message: "disk full", atEpochMs: 0 };
const commitFailed: BotEvent = { type: "queue.commit-failed", error, retryInMs: 200 };
const failure = new RateLimitedError("sendMessage", 1_000);

function setup(options: Partial<BotLoggerDeps> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "logger-live-"));
  const lines: LogLine[] = [];
  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length > 0) lines.push(JSON.parse(chunk.toString()));
      done();
    },
  });
  const clock = new ManualClock();
  const stderr = new Writable({ write: (_chunk, _encoding, done) => done() });
  const fixed = { directory, keepDays: 14, profile: "production" } as const;
  const log = new BotLogger({ level: "info", clock, stdout, stderr, ...fixed, ...options });
  onTestFinished(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const written = (event: string) => lines.filter((line) => line.event === event);
  return { clock, lines, log, written };
}

const changes = logLevels.flatMap((from) => logLevels.map((to) => [from, to] as const));

test.for(changes)("from level %s to %s: the change is logged and applies at once", ([from, to]) => {
  const { lines, log, written } = setup({ level: from });
  expect(log.level).toBe(from);

  log.setLevel(to);

  expect(log.level).toBe(to);
  expect(log.snapshot().level).toBe(to);
  const facts = from === to ? [] : [{ from, to }];
  expect(written("log.level-changed").map((line) => line["facts"])).toEqual(facts);
  lines.length = 0;
  for (const level of logLevels) log[level]("happened");
  const on = logLevels.slice(0, logLevels.indexOf(to) + 1);
  expect(written("happened").map((line) => line.level)).toEqual(on);
});

test("a change of level is an event, and the next process begins as configured", () => {
  const events: BotEvent[] = [];
  const { log } = setup({ publish: (event) => events.push(event) });
  log.setLevel("debug");
  expect(events).toEqual([{ type: "log.level-changed", from: "info", to: "debug" }]);
  expect(setup().log.level).toBe("info");
});

test.for(["verbose", "", "INFO", undefined, 7])("the unknown level %j is refused", (level) => {
  const { log } = setup();
  expect(() => log.setLevel(level as LogLevel)).toThrow(/expected error, warn, info, debug, got/);
  expect(log.level).toBe("info");
});

test("a flood of one error writes five lines, then every hundredth with the count left out", async () => {
  const { clock, log, written } = setup();
  log.start();

  for (let n = 0; n < 350; n++) log.listener(commitFailed);

  const lines = written("queue.commit-failed");
  expect(lines).toHaveLength(5 + 3);
  expect(lines.map((line) => line["suppressed"] ?? 0)).toEqual([0, 0, 0, 0, 0, 99, 99, 99]);
  expect(log.snapshot()).toMatchObject({ suppressed: 342, lines: { error: 350 } });
  await clock.advance(65_000);
  const left = { of: "queue.commit-failed", suppressed: 45 };
  expect(written("log.lines-suppressed").map((line) => line["facts"])).toEqual([left]);
});

test("closing reports what a flood left out, even within the minute", async () => {
  const { log, written } = setup();
  for (let n = 0; n < 10; n++) log.listener(commitFailed);
  await log.close();
  expect(written("log.lines-suppressed").map((line) => line["facts"])).toEqual([
    { of: "queue.commit-failed", suppressed: 5 },
  ]);
});

const often: readonly [string, number, (log: BotLogger, n: number) => void][] = [
  ["business", 20, (log, n) => log.business("happened", n, { error })],
  ["performance", 20, (log, n) => log.performance("happened", n, { error })],
  ["security", 20, (log, n) => log.security("happened", { userId: n, error })],
  ["an author's own line", 20, (log, n) => log.info("happened", { n })],
  ["an author's own line about an error", 5, (log) => log.warn("happened", { error: failure })],
];

test.for(often)("%s, 20 times: %i lines", ([, times, write]) => {
  const { log, written } = setup();
  for (let n = 0; n < 20; n++) write(log, n);
  expect(written("happened")).toHaveLength(times);
});

test("operators' actions are always logged", () => {
  const { log, written } = setup();
  for (let n = 0; n < 20; n++) {
    log.listener({ type: "dead-letter.requeued", deadLetterId: n, messageId: n });
    log.listener({ type: "message.expired", ref });
  }
  expect(written("dead-letter.requeued")).toHaveLength(20);
  expect(written("message.expired")).toHaveLength(5);
});
test("the tail holds a limited number of warnings and errors, redacted, newest first", () => {
  const { log } = setup({ level: "debug" });
  for (let n = 0; n < 600; n++) {
    log.info("unimportant");
    log.warn("happened", { n, token: "hidden" });
  }
  log.error("last");

  expect(log.tail(2)).toMatchObject([
    { level: "error", event: "last" },
    { level: "warn", event: "happened", facts: { n: 599, token: "[secret]" } },
  ]);
  expect(log.tail(1e9)).toHaveLength(500);
  expect(log.tail(0)).toEqual([]);
});

test("a listener gets every written line until it unsubscribes", () => {
  const { log } = setup();
  const heard: string[] = [];
  const end = log.subscribe((line) => heard.push(`${line.level} ${line.event}`));
  log.debug("not written");
  log.info("one");
  log.business("two", 7);
  end();
  end();
  log.info("three");
  expect(heard).toEqual(["info one", "info two"]);
});

test("a listener that throws is logged and removed, and does no harm", () => {
  const { log, written } = setup();
  const heard: string[] = [];
  let calls = 0;
  log.subscribe(() => {
    calls++;
    throw new Error("broken");
  });
  log.subscribe((line) => heard.push(line.event));
  log.info("one");
  log.info("two");
  expect(calls).toBe(1);
  expect(heard).toEqual(["one", "listener.failed", "two"]);
  expect(written("listener.failed")).toHaveLength(1);
});

test("a listener that logs does not get its own lines", () => {
  const { log, written } = setup();
  let heard = 0;
  log.subscribe(() => {
    heard++;
    log.info("heard");
  });
  log.info("one");
  expect(heard).toBe(1);
  expect(written("heard")).toHaveLength(1);
});

test("at most a hundred listeners are allowed, and one that unsubscribes makes room", () => {
  const { log } = setup();
  const ends = Array.from({ length: 100 }, () => log.subscribe(() => {}));
  expect(() => log.subscribe(() => {})).toThrow(/100 listeners/);
  ends[0]?.();
  log.subscribe(() => {});
});

test("a log file that cannot be opened is reported in the tail, and its reason in the snapshot", () => {
  const { log } = setup({ directory: "/dev/null/logs" });
  expect(log.tail(1)).toMatchObject([{ event: "log.file-failed" }]);
  expect(log.snapshot()).toMatchObject({ fileWritable: false, fileFailure: "ENOTDIR" });
});
