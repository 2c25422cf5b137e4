/**
 * Log file: writes one file per day, and survives a full, failing or slow disk.
 *
 *   open --disk fails--> given up --disk accepts data again--> open, missed lines caught up
 *   open --disk slow: behind by megabytes--> dropping, by level --nearly caught up--> open
 *
 * Owns the log files of its directory. Guarantees that no failure of the disk throws, ends the
 * process or fills its memory. Lines the file does not accept are dropped and counted; the
 * important ones among them are copied to stderr, and a limited number is kept for the file.
 */
import { mkdirSync } from "node:fs";
import { EOL } from "node:os";
import { join } from "node:path";
import winston from "winston";
import DailyRotateFile from "winston-daily-rotate-file";
import type { Clock } from "../../core/clock.ts";
import { BotError } from "../../core/errors.ts";
import type { BotEvent } from "../../core/events.ts";
import { identityOf } from "../../core/file-identity.ts";
import type { LogLevel } from "../../core/log-level.ts";
import type { BoundedOutput } from "./bounded-output.ts";
import { isCaughtUp, isTaken } from "./log-backlog-rules.ts";
import { type LogDisk, realDisk, takesData, watchDisk } from "./log-disk.ts";
import { removeUnlessSound, sweepLogFiles } from "./retention.ts";

export interface LogFileDeps {
  /** Created when missing, readable only by its owner. */
  readonly directory: string;
  /** Days after which a log file is removed. */
  readonly keepDays: number;
  readonly clock: Clock;
  /** Gets the important lines that the file does not accept. */
  readonly stderr: BoundedOutput;
  /** Called when the file was opened; its lines go to this transport until `onGivenUp`. */
  readonly onOpened: (transport: DailyRotateFile) => void;
  /** Called when the file was given up after an error. */
  readonly onGivenUp: (transport: DailyRotateFile) => void;
  readonly onFailed: (error: unknown) => void;
  /** Logs an event of the log itself. */
  readonly report: (event: BotEvent) => void;
  /** Default: the real one. */
  readonly disk?: LogDisk | undefined;
}

export interface LogFileSnapshot {
  /** False from a failure of the disk until it takes data again. */
  readonly fileWritable: boolean;
  /** Code of the error that made the log give up the file; `null` while it is open. */
  readonly fileFailure: string | null;
  /** Number of times the file was reopened after a failure. */
  readonly rebuilds: number;
  /** Bytes handed over but not yet on disk. */
  readonly behindBytes: number;
  /** Milliseconds since the disk last wrote anything while lines wait; 0 when none waits. */
  readonly stalledMs: number;
  /** Whether lines are currently being dropped because the disk is too slow. */
  readonly dropping: boolean;
  /** Lines dropped since the start because the disk was too slow. */
  readonly drops: Readonly<Record<LogLevel, number>>;
}

/** A file that reaches this size is continued in another one. */
const fileSizeMax = "64m";
/** Size of all log files together. */
const totalBytesMax = 2 * 2 ** 30;
/** Number of important lines kept while the file does not accept them. */
const missedLinesMax = 1_000;
const sweepEveryMs = 3_600_000;
const dayMs = 86_400_000;

/** Passes only the lines that `take` has accepted. */
const onlyTaken = winston.format((info) => (info["toFile"] ? info : false));

/** Another program moved or deleted the file; a new one is opened in its place. */
export class LogFileGoneError extends BotError {
  override readonly code = "LOG_FILE_GONE";
  override readonly transient = true;
}

export class LogFile {
  readonly #deps: LogFileDeps;
  readonly #drops = noDrops();
  readonly #missed: string[] = [];
  #transport: DailyRotateFile | undefined;
  #backlog = { bytes: 0 };
  /** Lines dropped since the disk fell behind; `undefined` while none are. */
  #dropping: Record<LogLevel, number> | undefined;
  /** Time at which the disk last wrote something, or was first given something to write. */
  #progressAtMs = 0;
  #writing: string | undefined;
  /** Device and inode of that file, once it has been seen. */
  #writingId: string | undefined;
  #wroteSinceOpened = false;
  #failure: string | null = null;
  #rebuilds = 0;
  #sweepDueAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: LogFileDeps) {
    this.#deps = deps;
  }

  get isOpen(): boolean {
    return this.#transport !== undefined;
  }

  snapshot(): LogFileSnapshot {
    return {
      fileWritable: this.isOpen,
      fileFailure: this.#failure,
      rebuilds: this.#rebuilds,
      behindBytes: this.#backlog.bytes,
      stalledMs: this.#backlog.bytes > 0 ? this.#nowMs() - this.#progressAtMs : 0,
      dropping: this.#dropping !== undefined,
      drops: { ...this.#drops },
    };
  }

  open(): void {
    const { directory, disk = realDisk, onFailed, onOpened } = this.#deps;
    const backlog = { bytes: 0 };
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const watched = watchDisk(disk, (bytes) => {
        backlog.bytes -= bytes;
        this.#progressAtMs = this.#nowMs();
        this.#wroteSinceOpened = true;
        if (this.#backlog === backlog) this.#afterWrite();
      });
      const transport = this.#createTransport(watched);
      // The transport does not handle its stream's errors: a full disk would end the process.
      transport.logStream.on("error", (error: Error) => this.giveUp(error));
      transport.on("new", (path: string) => {
        this.#writing = path;
        this.#forgetWriting();
        this.#sweepDueAtMs = Number.NEGATIVE_INFINITY;
      });
      this.#backlog = backlog;
      this.#transport = transport;
      this.#failure = null;
      this.#forgetWriting();
      onOpened(transport);
    } catch (error) {
      this.#failure = codeOf(error);
      onFailed(error);
    }
  }

  #createTransport(disk: LogDisk): DailyRotateFile {
    const { directory, keepDays } = this.#deps;
    // The default name changes with the options, and then the rotation forgets old files.
    const auditFile = join(directory, ".rotation.json");
    removeUnlessSound(auditFile);
    return new DailyRotateFile({
      dirname: directory,
      filename: "bot-%DATE%",
      extension: ".log",
      datePattern: "YYYY-MM-DD",
      utc: true,
      maxSize: fileSizeMax,
      maxFiles: `${keepDays}d`,
      auditFile,
      format: onlyTaken(),
      options: { flags: "a", mode: 0o600, fs: disk },
    });
  }

  /** Closes the file after an error; from then on the important lines go to stderr. */
  giveUp(error: unknown): void {
    const transport = this.#transport;
    if (!transport) return;
    this.#transport = undefined;
    this.#failure = codeOf(error);
    this.#backlog = { bytes: 0 };
    this.#deps.onGivenUp(transport);
    this.#deps.onFailed(error);
  }

  /**
   * Accepts a line, or drops it and returns false; called once per line. Important lines: see
   * `miss`.
   */
  take(level: LogLevel, text: string): boolean {
    if (!this.isOpen) {
      this.miss(level, text);
      return false;
    }
    if (isTaken(level, this.#backlog.bytes)) {
      this.#handOver(text + EOL);
      return true;
    }
    const begins = this.#dropping === undefined;
    this.#dropping ??= noDrops();
    this.#dropping[level]++;
    this.#drops[level]++;
    this.miss(level, text);
    if (begins) {
      this.#deps.report({ type: "log.fallen-behind", behindBytes: this.#backlog.bytes });
    }
    return false;
  }

  /** Copies a line to stderr and keeps it for the file, if it is important. */
  miss(level: LogLevel, text: string): void {
    if (level !== "error" && level !== "warn") return;
    if (this.#missed.push(text) > missedLinesMax) this.#missed.shift();
    this.#deps.stderr.write(`${text}\n`);
  }

  /**
   * Gives up a file that was moved or deleted, reopens one that was given up, and removes old files; to
   * be called every few seconds.
   */
  tend(): void {
    const { clock, directory, keepDays, report } = this.#deps;
    if (this.isOpen && this.#isGone()) {
      this.giveUp(new LogFileGoneError("the log file was moved or deleted while it was written"));
    }
    if (!this.isOpen && takesData(directory)) this.#reopen();
    if (this.#nowMs() < this.#sweepDueAtMs) return;
    this.#sweepDueAtMs = this.#nowMs() + sweepEveryMs;
    const removed = sweepLogFiles(directory, {
      keepSinceEpochMs: clock.epochMs() - keepDays * dayMs,
      bytesMax: totalBytesMax,
      writing: this.#writing,
    });
    if (removed.files > 0) report({ type: "log.files-removed", ...removed, totalBytesMax });
  }

  /** Whether the open file is no longer the one at its path, as after logrotate or `rm`. */
  #isGone(): boolean {
    if (this.#writing === undefined) return false;
    const id = identityOf(this.#writing);
    if (id === undefined) return this.#wroteSinceOpened;
    this.#writingId ??= id;
    return this.#writingId !== id;
  }

  #forgetWriting(): void {
    this.#writingId = undefined;
    this.#wroteSinceOpened = false;
  }

  /** Resolves when all accepted lines are on disk; never, if the disk is stuck. */
  ended(): Promise<void> {
    const stream = this.#transport?.logStream;
    return new Promise((resolve) => (stream ? stream.end(resolve) : resolve()));
  }

  #reopen(): void {
    this.open();
    if (!this.isOpen) return;
    this.#rebuilds++;
    const missed = this.#missed.length;
    this.#catchUp();
    this.#deps.report({ type: "log.file-restored", missed });
  }

  #afterWrite(): void {
    if (!isCaughtUp(this.#backlog.bytes)) return;
    this.#catchUp();
    const dropped = this.#dropping;
    this.#dropping = undefined;
    if (dropped) this.#deps.report({ type: "log.caught-up", dropped });
  }

  /** Writes the important lines that were missed to the file, as far as there is room. */
  #catchUp(): void {
    const stream = this.#transport?.logStream;
    while (stream && this.#missed.length > 0 && isTaken("warn", this.#backlog.bytes)) {
      const text = this.#missed.shift() + EOL;
      this.#handOver(text);
      stream.write(text);
    }
  }

  #handOver(text: string): void {
    if (this.#backlog.bytes === 0) this.#progressAtMs = this.#nowMs();
    this.#backlog.bytes += Buffer.byteLength(text);
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }
}

function noDrops(): Record<LogLevel, number> {
  return { error: 0, warn: 0, info: 0, debug: 0 };
}

/** Returns the system's name for the error, such as ENOSPC. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "UNKNOWN";
}
