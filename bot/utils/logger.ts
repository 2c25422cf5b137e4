/**
 * Logger: what happened, as JSON lines on the console and in a file a day.
 *
 * Owns the log files of its directory and the `error` listeners of the standard streams. Guarantees
 * that no call throws, that every line is redacted before anything else sees it, and that neither a
 * closed console nor a full log disk can end the process or fill its memory. Knows no user's text:
 * ids, codes and figures only.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import winston from "winston";
import DailyRotateFile from "winston-daily-rotate-file";
import { type Clock, waitOver } from "../contracts/clock.ts";
import type { BotEvent, Publish } from "../contracts/events.ts";
import { redact } from "../policies/redaction.ts";

export type LogLevel = "error" | "warn" | "info" | "debug";

/** Ids, codes and figures; units stand in their names. Errors are written with stack and causes. */
export type Facts = Readonly<Record<string, unknown>>;

export interface BotLoggerOptions {
  /** Made when missing, readable by its owner only. */
  readonly directory: string;
  /** Lines less important than this are not written. */
  readonly level: LogLevel;
  /** Days after which a log file is removed. */
  readonly keepDays: number;
  /** In production the console shows JSON, otherwise lines for people. */
  readonly profile: "development" | "production" | "test";
  readonly clock: Clock;
  /** Default: the process's own. */
  readonly stdout?: Writable;
  /** Where important lines go when the log file cannot be written. Default: the process's own. */
  readonly stderr?: Writable;
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

/**
 * Joins the listeners of events.
 *
 * @returns a `publish` that calls them in order and never throws: what a listener throws is logged.
 */
export function createEventBus(
  listeners: readonly ((event: BotEvent) => void)[],
  log: Pick<BotLogger, "error">,
): Publish {
  return (event) => {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        log.error("listener.failed", { type: event.type, error });
      }
    }
  };
}

/** Bytes the console may be behind before lines are dropped. */
const consoleBacklogBytesMax = 1024 * 1024;
/** A day's file goes on in another one after this size. */
const fileSizeMax = "64m";
/** Important lines kept while the file cannot be written. */
const missedLinesMax = 1_000;
/** How often the disk is tried while the file cannot be written. */
const rebuildEveryMs = 5_000;
const sweepEveryMs = 3_600_000;
const dayMs = 86_400_000;
/** Enough to notice a full disk. */
const probeBytes = 4_096;
/** Milliseconds that closing waits for disk and console. */
const closeMsMax = 2_000;
/** Where winston's transports look for the finished text. Source: winston's README, triple-beam. */
const MESSAGE = Symbol.for("message");

/** The one place every line passes before a transport sees it. */
const redaction = winston.format((info) => {
  const line = redact(info["line"]) as LogLine;
  return Object.assign(info, { line, [MESSAGE]: toJson(line) });
});

export class BotLogger {
  readonly #options: BotLoggerOptions;
  readonly #stdout: Writable;
  readonly #stderr: Writable;
  readonly #winston: winston.Logger;
  readonly #closing = new AbortController();
  #file: DailyRotateFile | undefined;
  #missed: string[] = [];
  #rebuilds = 0;
  #upkeep: Promise<void>[] = [];
  #closed: Promise<void> | undefined;
  #consoleDrops = 0;

  constructor(options: BotLoggerOptions) {
    this.#options = options;
    this.#stdout = options.stdout ?? process.stdout;
    this.#stderr = options.stderr ?? process.stderr;
    for (const stream of [this.#stdout, this.#stderr]) surviveErrors(stream);
    this.#winston = winston.createLogger({
      level: options.level,
      format: redaction(),
      transports: [this.#createConsole()],
    });
    this.#winston.on("error", (error) => this.#giveUpFile(error));
    this.#openFile();
  }

  /** Begins to look after the files: removes old ones, and opens the log again after a full disk. */
  start(): void {
    if (this.#upkeep.length > 0 || this.#closed !== undefined) return;
    this.#upkeep = [this.#keepFile(), this.#sweepRegularly()];
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
    if (event.type === "business.happened") {
      this.business(event.name, event.userId, event.facts);
      return;
    }
    if (event.type === "security.happened") {
      this.security(event.name, { userId: event.userId, ...event.facts });
      return;
    }
    const level = levelOf(event);
    if (!this.#isWritten(level)) return;
    const { type, ...facts } = event;
    this.#write(level, { event: type, facts });
  };

  snapshot(): {
    readonly fileWritable: boolean;
    readonly consoleDrops: number;
    /** How often the file was opened again after a failure. */
    readonly rebuilds: number;
  } {
    const fileWritable = this.#file !== undefined;
    return { fileWritable, consoleDrops: this.#consoleDrops, rebuilds: this.#rebuilds };
  }

  /** Writes out what is pending, for at most two seconds. Later lines go to stderr. Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#flush();
    return this.#closed;
  }

  #isWritten(level: LogLevel): boolean {
    return this.#winston.isLevelEnabled(level);
  }

  #write(level: LogLevel, line: Record<string, unknown>): void {
    if (!this.#isWritten(level)) return;
    try {
      const at = formatInstant(this.#options.clock.epochMs());
      const info = { level, message: "", line: { at, level, ...correlation.getStore(), ...line } };
      if (this.#closed === undefined) this.#winston.log(info);
      if (this.#closed !== undefined || this.#file === undefined) this.#writeToStderr(info.line);
    } catch (error) {
      // Of what is called here, only opening the next day's file can throw.
      this.#giveUpFile(error);
    }
  }

  #createConsole(): winston.transport {
    const lines = new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        this.#writeToConsole(text);
        done();
      },
    });
    const readable = winston.format.printf((info) => toReadable(info["line"] as LogLine));
    const production = this.#options.profile === "production";
    return new winston.transports.Stream({
      stream: lines,
      ...(!production && { format: readable }),
    });
  }

  /** A console that is not read (a frozen PM2) would otherwise pile up in our memory. */
  #writeToConsole(text: string): void {
    const behind = this.#stdout.writableLength > consoleBacklogBytesMax;
    if (behind || !this.#stdout.writable) this.#consoleDrops += 1;
    else this.#stdout.write(text);
  }

  #openFile(): void {
    const { directory, keepDays } = this.#options;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // A fixed name: the default one changes with the options, and then old files are forgotten.
      const auditFile = join(directory, ".rotation.json");
      removeUnlessSound(auditFile);
      const file = new DailyRotateFile({
        dirname: directory,
        filename: "bot-%DATE%",
        extension: ".log",
        datePattern: "YYYY-MM-DD",
        utc: true,
        maxSize: fileSizeMax,
        maxFiles: `${keepDays}d`,
        auditFile,
        options: { flags: "a", mode: 0o600 },
      });
      // The transport never listens to its own stream: a full disk would end the process.
      file.logStream.on("error", (error: Error) => this.#giveUpFile(error));
      this.#file = file;
      this.#winston.add(file);
    } catch (error) {
      this.#reportFileFailure(error);
    }
  }

  /** From here on the console has all lines and stderr the important ones. */
  #giveUpFile(error: unknown): void {
    if (!this.#file || this.#closed !== undefined) return;
    this.#winston.remove(this.#file);
    this.#file = undefined;
    this.#reportFileFailure(error);
  }

  #reportFileFailure(error: unknown): void {
    const at = formatInstant(this.#options.clock.epochMs());
    this.#writeToStderr({ at, level: "error", event: "log.file-failed", facts: { error } });
  }

  #writeToStderr(line: Record<string, unknown>): void {
    if (line["level"] !== "error" && line["level"] !== "warn") return;
    const text = `${toJson(redact(line))}\n`;
    if (this.#missed.push(text) > missedLinesMax) this.#missed.shift();
    if (this.#stderr.writable && this.#stderr.writableLength <= consoleBacklogBytesMax) {
      this.#stderr.write(text);
    }
  }

  /** Tries the disk while the file cannot be written, and opens the file again. */
  async #keepFile(): Promise<void> {
    const { clock, directory } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await clock.sleep(rebuildEveryMs, signal);
      if (signal.aborted || this.#file || !takesData(directory)) continue;
      this.#openFile();
      this.#catchUp();
    }
  }

  /** What was important meanwhile comes into the file after all. */
  #catchUp(): void {
    const file: DailyRotateFile | undefined = this.#file;
    if (!file) return;
    this.#rebuilds++;
    const missed = this.#missed.splice(0);
    for (const line of missed) file.logStream.write(line);
    this.warn("log.file-restored", { missed: missed.length });
  }

  /** The rotation looks at old files only when it opens a new one, and only at those it knows. */
  async #sweepRegularly(): Promise<void> {
    const { clock, directory, keepDays } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      removeOldFiles(directory, clock.epochMs() - keepDays * dayMs);
      await clock.sleep(sweepEveryMs, signal);
    }
  }

  async #flush(): Promise<void> {
    const flushed = new AbortController();
    const { clock } = this.#options;
    this.#closing.abort(waitOver);
    await Promise.all(this.#upkeep);
    const file = this.#file?.logStream;
    const all = [
      new Promise<void>((resolve) => this.#winston.end(resolve)).then(
        () => new Promise<void>((resolve) => (file ? file.end(resolve) : resolve())),
      ),
      new Promise<void>((resolve) => this.#stdout.write("", () => resolve())),
    ];
    await Promise.race([Promise.all(all), clock.sleep(closeMsMax, flushed.signal)]);
    flushed.abort();
  }
}

type LogLine = Readonly<Record<string, unknown>> & {
  readonly at?: unknown;
  readonly level?: unknown;
};

/** Whether the directory takes a few kilobytes, down to the disk. */
function takesData(directory: string): boolean {
  const path = join(directory, ".probe");
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = openSync(path, "w", 0o600);
    try {
      writeSync(file, Buffer.alloc(probeBytes));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    rmSync(path);
    return true;
  } catch {
    // Still full, or gone: the next look may find it mended.
    return false;
  }
}

function removeOldFiles(directory: string, beforeEpochMs: number): void {
  const oldest = formatInstant(beforeEpochMs).slice(0, 10);
  try {
    for (const name of readdirSync(directory)) {
      const [, day] = /^bot-(\d{4}-\d{2}-\d{2})\.log/.exec(name) ?? [];
      if (day !== undefined && day < oldest) rmSync(join(directory, name), { force: true });
    }
  } catch {
    // A directory that cannot be read now is swept an hour later.
  }
}

/** A torn record of the rotation would end old files' removal, or throw where nobody can catch it. */
function removeUnlessSound(auditFile: string): void {
  if (!existsSync(auditFile)) return;
  try {
    const { files } = JSON.parse(readFileSync(auditFile, "utf8")) as { files: unknown[] };
    const sound = (file: unknown) =>
      typeof (file as { name: unknown }).name === "string" &&
      typeof (file as { date: unknown }).date === "number";
    if (files.every(sound)) return;
  } catch {
    // Not JSON, or not of this shape: as good as none.
  }
  rmSync(auditFile, { recursive: true });
}

/** EPIPE of a console that went away is none of our business; the file has the lines. */
function ignore(): void {}

function surviveErrors(stream: Writable): void {
  if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
}

function formatInstant(epochMs: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: formats an instant of the Clock, asks for none.
  return new Date(epochMs).toISOString();
}

/** "12:03:04.123 WARN  intake.failed {…}", for people. */
function toReadable(line: LogLine): string {
  const { at, level, event, ...rest } = line;
  const time = String(at).slice(11, 23);
  return `${time} ${String(level).toUpperCase().padEnd(5)} ${event} ${toJson(rest)}`;
}

/** One line; control characters that JSON leaves alone (C1) could steer a terminal. */
function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** How much an event matters. A new event must be judged here, or this does not compile. */
function levelOf(event: BotEvent): LogLevel {
  switch (event.type) {
    case "alert.failed":
    case "api.failed":
    case "breaker.opened":
    case "component.start-failed":
    case "component.stop-failed":
    case "component.given-up":
    case "component.stuck":
    case "component.restart-failed":
    case "connection.lost":
    case "queue.commit-failed":
    case "storage.failed":
    case "process.died-before":
    case "safe-mode.entered":
    case "watchdog.failed":
      return "error";
    case "health.changed":
      return { healthy: "info", degraded: "warn", unhealthy: "error" }[event.status] as LogLevel;
    case "error.noticed":
      return event.what === "spike" ? "warn" : "info";
    case "message.dead":
      return event.reason === "refused" ? "warn" : "error";
    case "component.drained":
      return event.left.length > 0 ? "warn" : "info";
    case "process.started":
      return event.previousEnd === "unclean" ? "warn" : "info";
    case "encryption-key.created":
    case "keys.sweep-failed":
    case "intake.failed":
    case "intake.held-back":
    case "component.restarting":
    case "loop.stalled":
    case "process.unmeasured":
    case "restart.requested":
    case "message.overdue":
    case "security.happened":
    case "message.recovered":
    case "message.retry-scheduled":
    case "send.ambiguous":
    case "telegram.rate-limited":
      return "warn";
    case "breaker.closed":
    case "business.happened":
    case "chat.migrated":
    case "chat.unreachable":
    case "component.recovered":
    case "component.started":
    case "component.stopped":
    case "connection.restored":
    case "dead-letter.requeued":
    case "intake.recovered":
    case "intake.resumed":
    case "message.expired":
    case "process.stopping":
    case "queue.paused":
    case "queue.resumed":
    case "safe-mode.left":
    case "safe-mode.released":
    case "storage.checked":
    case "encryption-key.changed":
    case "keys.rotated":
    case "keys.swept":
    case "storage.backed-up":
    case "update.ignored":
    case "webhook.removed":
      return "info";
    case "connection.reconnecting":
    case "message.done":
    case "message.postponed":
    case "queue.swept":
    case "updates.received":
      return "debug";
  }
}
