/**
 * Logger: writes what happens as JSON lines, to the console and to one file per day.
 *
 * The folder logger/ holds its files, sampling and latest lines. Guarantees that no call throws,
 * that every line is redacted before anything else sees it, and that neither a closed console nor a
 * full or slow log disk can end the process or fill its memory. Every line is counted, but of many
 * alike only some are written (utils/logger/line-sampler.ts). Lines hold ids, codes and figures,
 * never a user's text.
 */

import { Writable } from "node:stream";
import type { WriteStream } from "node:tty";
import winston from "winston";
import { CarriedValue } from "../core/carried-value.ts";
import { type Clock, formatInstant } from "../core/clock.ts";
import { withDeadline } from "../core/deadline.ts";
import { BotError } from "../core/errors.ts";
import type { BotEvent, Publish } from "../core/events.ts";
import { type LogLevel, logLevels } from "../core/log-level.ts";
import { Loop } from "../core/loop.ts";
import { redact } from "../core/redaction.ts";
import { BoundedOutput } from "./logger/bounded-output.ts";
import { isAudited, levelOf } from "./logger/event-level.ts";
import { LatestLines, type LineListener } from "./logger/latest-lines.ts";
import { type LogLine, toJson, toReadable } from "./logger/line-format.ts";
import { LineSampler } from "./logger/line-sampler.ts";
import type { LogDisk } from "./logger/log-disk.ts";
import { LogFile, type LogFileSnapshot } from "./logger/log-file.ts";

/** Ids, codes and figures, with the unit in each name. Errors are written with stack and causes. */
export type Facts = Readonly<Record<string, unknown>>;

export interface BotLoggerDeps {
  /** Directory of the log files; created when missing, readable only by its owner. */
  readonly directory: string;
  /** Less important lines than this are not written. */
  readonly level: LogLevel;
  /** Days after which a log file is removed. */
  readonly keepDays: number;
  /**
   * The console gets JSON lines; a terminal in development gets only warnings and errors, in a form
   * for people.
   */
  readonly profile: "development" | "production" | "test";
  readonly clock: Clock;
  /** Default: the process's own. It counts as a terminal when its `isTTY` is true. */
  readonly stdout?: Writable & Partial<Pick<WriteStream, "hasColors" | "isTTY">>;
  /** Gets the important lines while the log file cannot be written. Default: the process's own. */
  readonly stderr?: Writable;
  /** Receives the events that the logger itself reports. Default: its own `listener`. */
  readonly publish?: Publish;
  /** Takes the lines of the log file. Default: the file system. */
  readonly disk?: LogDisk;
}

/** The logger's state; counts are since the start. */
export interface LogSnapshot extends LogFileSnapshot {
  readonly level: LogLevel;
  readonly consoleDrops: number;
  /** Lines of the enabled levels, written or not. */
  readonly lines: Readonly<Record<LogLevel, number>>;
  /** Lines left out because many were alike. */
  readonly suppressed: number;
}

/** There is no such level. */
export class LogLevelUnknownError extends BotError {
  override readonly code = "LOG_LEVEL_UNKNOWN";
  override readonly transient = false;
}

/** Fields that link log lines that belong together. */
export interface Correlation {
  readonly cid?: string;
  readonly updateId?: number;
  readonly messageId?: number;
}

const correlation = new CarriedValue<Correlation>();

/** Runs `run` so that every line it logs, also from work it starts, carries these fields. */
export function withCorrelation<T>(fields: Correlation, run: () => T): T {
  return correlation.run({ ...correlation.current, ...fields }, run);
}

/** Interval at which the log file is tended and lines left out are reported. */
const tendEveryMs = 5_000;
/** Closing waits at most this long for disk and console. */
const closeMsMax = 2_000;
/**
 * The key under which winston's transports find the finished text. Source: winston's README,
 * triple-beam.
 */
const MESSAGE = Symbol.for("message");

/** A line before it is redacted. */
type RawLine = Readonly<Record<string, unknown>> & { readonly event: string };

export class BotLogger {
  readonly #deps: BotLoggerDeps;
  readonly #stdout: BoundedOutput;
  readonly #file: LogFile;
  readonly #winston: winston.Logger;
  readonly #sampler: LineSampler;
  readonly #latest = new LatestLines();
  readonly #lines: Record<LogLevel, number> = { error: 0, warn: 0, info: 0, debug: 0 };
  readonly #upkeep: Loop;
  #level: LogLevel;
  #closed: Promise<void> | undefined;

  constructor(deps: BotLoggerDeps) {
    const { clock, directory, disk, keepDays, level } = deps;
    this.#deps = deps;
    this.#level = level;
    this.#sampler = new LineSampler(clock);
    this.#upkeep = new Loop(clock, async (loop) => {
      do this.#tend();
      while (await loop.wait(tendEveryMs));
    });
    this.#stdout = new BoundedOutput(deps.stdout ?? process.stdout);
    const stderr = new BoundedOutput(deps.stderr ?? process.stderr);
    this.#winston = winston.createLogger({
      // This class decides which lines are written, before winston gets them.
      level: "debug",
      format: winston.format((info) => info)(),
      transports: [this.#createConsole()],
    });
    this.#file = new LogFile({
      directory,
      keepDays,
      clock,
      stderr,
      disk,
      onOpened: (transport) => this.#winston.add(transport),
      onGivenUp: (transport) => this.#winston.remove(transport),
      onFailed: (error) => this.#reportFileFailure(error),
      report: this.listener,
    });
    this.#winston.on("error", (error) => this.#giveUpFile(error));
    this.#file.open();
  }

  /** Begins tending the files: removes old ones, and reopens the log after a full disk. */
  start(): void {
    this.#upkeep.start();
  }

  debug(event: string, facts: Facts = {}): void {
    this.#write("debug", { event, facts });
  }

  info(event: string, facts: Facts = {}): void {
    this.#write("info", { event, facts });
  }

  warn(event: string, facts: Facts = {}): void {
    this.#write("warn", { event, facts });
  }

  error(event: string, facts: Facts = {}): void {
    this.#write("error", { event, facts });
  }

  /** Logs something the business cares about, for example `user_registered`. */
  business(event: string, userId: number, facts: Facts = {}): void {
    this.#write("info", { event, kind: "business", userId, facts });
  }

  /** Logs how long something took. */
  performance(event: string, durationMs: number, facts: Facts = {}): void {
    this.#write("info", { event, kind: "performance", durationMs, facts });
  }

  /** Logs a possible attack, or access to something protected. */
  security(event: string, facts: Facts = {}): void {
    this.#write("warn", { event, kind: "security", facts });
  }

  /** Logs one of the bot's events; pass this to the event bus. */
  readonly listener = (event: BotEvent): void => {
    if (event.type === "business.recorded") {
      this.business(event.name, event.userId, event.facts);
      return;
    }
    if (event.type === "security.recorded") {
      this.security(event.name, { userId: event.userId, ...event.facts });
      return;
    }
    const { type, ...facts } = event;
    switch (event.type) {
      case "api.change-requested":
      case "api.payload-requested":
      case "api.refused":
        this.security(type, facts);
        return;
      default:
    }
    this.#write(levelOf(event), { event: type, facts }, isAudited(event) ? "author" : "event");
  };

  /** The current level: less important lines are not written. */
  get level(): LogLevel {
    return this.#level;
  }

  /**
   * Changes the level until the process ends; the next process begins with the configured one. The
   * change itself is always written. @throws LogLevelUnknownError.
   */
  setLevel(level: LogLevel): void {
    if (!logLevels.includes(level)) {
      const received = JSON.stringify(level)?.slice(0, 50);
      throw new LogLevelUnknownError(`level: expected ${logLevels.join(", ")}, got ${received}`, {
        hint: `Use one of: ${logLevels.join(", ")}.`,
      });
    }
    const from = this.#level;
    if (level === from) return;
    const louder = logLevels.indexOf(level) > logLevels.indexOf(from);
    if (louder) this.#level = level;
    const { publish = this.listener } = this.#deps;
    publish({ type: "log.level-changed", from, to: level });
    this.#level = level;
  }

  /** Returns the latest written warnings and errors, newest first; at most 500 are kept. */
  tail(limit: number): readonly LogLine[] {
    return this.#latest.tail(limit);
  }

  /**
   * Passes every line to the listener as it is written, redacted. A listener that throws is
   * removed; lines that a listener itself logs are not passed on.
   *
   * @returns a function that unsubscribes. @throws LogListenersFullError at a hundred listeners.
   */
  subscribe(listener: LineListener): () => void {
    return this.#latest.subscribe(listener);
  }

  snapshot(): LogSnapshot {
    return {
      ...this.#file.snapshot(),
      level: this.#level,
      consoleDrops: this.#stdout.drops,
      lines: { ...this.#lines },
      suppressed: this.#sampler.suppressed,
    };
  }

  /** Writes pending lines, for at most two seconds. Later lines go to stderr. Never rejects. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#tellSuppressed("all");
      this.#closed = this.#flush();
    }
    return this.#closed;
  }

  #write(level: LogLevel, raw: RawLine, source: "event" | "author" = "author"): void {
    if (logLevels.indexOf(level) > logLevels.indexOf(this.#level)) return;
    this.#lines[level]++;
    const line = this.#toLine(level, raw);
    const suppressed = this.#sampler.judge(line, source);
    if (suppressed === undefined) return;
    this.#writeLine(suppressed > 0 ? { ...line, suppressed } : line);
  }

  #writeLine(line: LogLine): void {
    const { level } = line;
    const text = toJson(line);
    if (this.#closed !== undefined) {
      this.#file.miss(level, text);
      return;
    }
    try {
      const toFile = this.#file.take(level, text);
      this.#winston.log({ level, message: "", line, toFile, [MESSAGE]: text });
    } catch (error) {
      // Only opening the next day's file can throw here.
      this.#giveUpFile(error);
    }
    this.#tell(line);
  }

  #tell(line: LogLine): void {
    for (const thrown of this.#latest.add(line)) this.listener({ type: "listener.failed", thrown });
  }

  /** Redacts the line; every line passes here before anything else sees it. */
  #toLine(level: LogLevel, raw: RawLine): LogLine {
    const at = formatInstant(this.#deps.clock.epochMs());
    return redact({ at, level, ...correlation.current, ...raw }) as LogLine;
  }

  #createConsole(): winston.transport {
    const lines = new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        this.#stdout.write(text);
        done();
      },
    });
    const { profile, stdout = process.stdout } = this.#deps;
    const terminal = stdout.isTTY === true && profile === "development";
    const colours = stdout.hasColors?.() ?? false;
    const readable = winston.format.printf((info) => toReadable(info["line"] as LogLine, colours));
    return new winston.transports.Stream({
      stream: lines,
      ...(terminal && { level: "warn", format: readable }),
    });
  }

  #giveUpFile(error: unknown): void {
    if (this.#closed === undefined) this.#file.giveUp(error);
  }

  /** Reports to stderr, and to the file once it is back; the console gets all lines anyway. */
  #reportFileFailure(thrown: unknown): void {
    const { type, ...facts }: BotEvent = { type: "log.file-failed", thrown };
    const line = this.#toLine("error", { event: type, facts });
    this.#lines.error++;
    this.#file.miss("error", toJson(line));
    this.#tell(line);
  }

  #tend(): void {
    this.#file.tend();
    this.#tellSuppressed("minutes that are over");
  }

  /** Logs how many lines each flood that is over left out. */
  #tellSuppressed(which: "minutes that are over" | "all"): void {
    for (const left of this.#sampler.takeLeftovers(which)) {
      const event: BotEvent = { type: "log.lines-suppressed", ...left };
      const { type, level, ...facts } = event;
      this.#write(level, { event: type, facts });
    }
  }

  async #flush(): Promise<void> {
    await this.#upkeep.stop();
    const ended = new Promise<void>((resolve) => this.#winston.end(resolve));
    const all = Promise.all([ended.then(() => this.#file.ended()), this.#stdout.flushed()]);
    await withDeadline<unknown>(this.#deps.clock, closeMsMax, () => all, { late: () => {} });
  }
}
