/**
 * Logger: what happened, as JSON lines on the console and in a file a day.
 *
 * The face of logger/, where files, sampling and the latest lines are. Guarantees that no call throws,
 * that every line is redacted before anything else sees it, and that neither a closed console nor a
 * full or slow log disk can end the process or fill its memory. Every line counts; of many that say
 * the same not every one is written: which, is said in utils/logger/line-sampler.ts. Knows no user's text:
 * ids, codes and figures only.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Writable } from "node:stream";
import type { WriteStream } from "node:tty";
import winston from "winston";
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

/** Ids, codes and figures; units stand in their names. Errors are written with stack and causes. */
export type Facts = Readonly<Record<string, unknown>>;

export interface BotLoggerDeps {
  /** Made when missing, readable by its owner only. */
  readonly directory: string;
  /** Lines less important than this are not written. */
  readonly level: LogLevel;
  /** Days after which a log file is removed. */
  readonly keepDays: number;
  /**
   * The console shows JSON lines; at a terminal in development it shows warnings and errors alone, as
   * lines for people.
   */
  readonly profile: "development" | "production" | "test";
  readonly clock: Clock;
  /** Default: the process's own. It is a terminal when it says so by `isTTY`. */
  readonly stdout?: Writable & Partial<Pick<WriteStream, "hasColors" | "isTTY">>;
  /** Where important lines go when the log file cannot be written. Default: the process's own. */
  readonly stderr?: Writable;
  /** Hears what the logger itself reports as an event. Default: its own `listener`. */
  readonly publish?: Publish;
  /** How lines reach the log file. Default: the file system. */
  readonly disk?: LogDisk;
}

/** Since the start, unless said otherwise. */
export interface LogSnapshot extends LogFileSnapshot {
  readonly level: LogLevel;
  readonly consoleDrops: number;
  /** Lines of the levels that are on, written or not. */
  readonly lines: Readonly<Record<LogLevel, number>>;
  /** Lines left out because many said the same. */
  readonly suppressed: number;
}

/** There is no such level. */
export class LogLevelUnknownError extends BotError {
  override readonly code = "LOG_LEVEL_UNKNOWN";
  override readonly transient = false;
}

/** What links log lines that belong together. */
export interface Correlation {
  readonly cid?: string;
  readonly updateId?: number;
  readonly messageId?: number;
}

const correlation = new AsyncLocalStorage<Correlation>();

/** Runs `run` so that every line logged by it, and by what it starts, carries these fields. */
export function withCorrelation<T>(fields: Correlation, run: () => T): T {
  return correlation.run({ ...correlation.getStore(), ...fields }, run);
}

/** How often the file and what was left out are looked after. */
const tendEveryMs = 5_000;
/** Milliseconds that closing waits for disk and console. */
const closeMsMax = 2_000;
/** Where winston's transports look for the finished text. Source: winston's README, triple-beam. */
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
      // Which lines are written is decided here, before winston has them.
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

  /** Begins to look after the files: removes old ones, and opens the log again after a full disk. */
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

  /** Something the business cares about, e.g. `user_registered`. */
  business(event: string, userId: number, facts: Facts = {}): void {
    this.#write("info", { event, kind: "business", userId, facts });
  }

  /** How long something took. */
  performance(event: string, durationMs: number, facts: Facts = {}): void {
    this.#write("info", { event, kind: "performance", durationMs, facts });
  }

  /** Something that may be an attack, or access to what is protected. */
  security(event: string, facts: Facts = {}): void {
    this.#write("warn", { event, kind: "security", facts });
  }

  /** Writes an event of the bot; to be given to the event bus. */
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
    if (event.type === "api.change-requested" || event.type === "api.refused") {
      this.security(type, facts);
      return;
    }
    this.#write(levelOf(event), { event: type, facts }, isAudited(event) ? "author" : "event");
  };

  /** Lines less important than this are not written at present. */
  get level(): LogLevel {
    return this.#level;
  }

  /**
   * Writes more or less from now on, until the process ends; the next one begins with the configured
   * level. The change is written whichever way it goes. @throws LogLevelUnknownError.
   */
  setLevel(level: LogLevel): void {
    if (!logLevels.includes(level)) {
      const received = JSON.stringify(level)?.slice(0, 50);
      throw new LogLevelUnknownError(`level: expected ${logLevels.join(", ")}, got ${received}`, {
        hint: `Give one of: ${logLevels.join(", ")}.`,
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

  /** The latest warnings and errors that were written, latest first; at most 500 are kept. */
  tail(limit: number): readonly LogLine[] {
    return this.#latest.tail(limit);
  }

  /**
   * Tells every line as it is written, redacted. A listener that throws hears nothing more; lines
   * that a listener logs are not told.
   *
   * @returns what ends it. @throws LogListenersFullError when a hundred hear it already.
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

  /** Writes out what is pending, for at most two seconds. Later lines go to stderr. Never rejects. */
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
      // Of what is called here, only opening the next day's file can throw.
      this.#giveUpFile(error);
    }
    this.#tell(line);
  }

  #tell(line: LogLine): void {
    for (const thrown of this.#latest.add(line)) this.listener({ type: "listener.failed", thrown });
  }

  /** The one place every line passes before anything else sees it. */
  #toLine(level: LogLevel, raw: RawLine): LogLine {
    const at = formatInstant(this.#deps.clock.epochMs());
    return redact({ at, level, ...correlation.getStore(), ...raw }) as LogLine;
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

  /** The console has all lines anyway, so this is for stderr, and for the file when it is back. */
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

  /** A flood that is over must not take its number with it. */
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
