/**
 * Log file: a file a day, over every trouble its disk may have.
 *
 *   open --disk fails--> given up --it takes data again--> open, missed lines caught up
 *   open --disk slow: behind by megabytes--> dropping, by level --nearly nothing left--> open
 *
 * Owns the log files of its directory. Guarantees that no failure of the disk throws, ends the process
 * or fills its memory: what the file does not take is dropped and counted, and of that the important
 * lines are kept, within bounds, and copied to stderr.
 */
import { mkdirSync } from "node:fs";
import { EOL } from "node:os";
import { join } from "node:path";
import winston from "winston";
import DailyRotateFile from "winston-daily-rotate-file";
import type { Clock } from "../../core/clock.ts";
import type { BotEvent } from "../../core/events.ts";
import type { LogLevel } from "../../core/log-level.ts";
import type { BoundedOutput } from "./bounded-output.ts";
import { isCaughtUp, isTaken } from "./log-backlog-rules.ts";
import { type LogDisk, realDisk, takesData, watchDisk } from "./log-disk.ts";
import { removeUnlessSound, sweepLogFiles } from "./retention.ts";

export interface LogFileDeps {
  /** Made when missing, readable by its owner only. */
  readonly directory: string;
  /** Days after which a log file is removed. */
  readonly keepDays: number;
  readonly clock: Clock;
  /** Where important lines go that the file does not take. */
  readonly stderr: BoundedOutput;
  /** The file was opened, or given up: lines are to be given to this transport from now on, or not. */
  readonly onOpened: (transport: DailyRotateFile) => void;
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
  /** Code of the error it was given up with; `null` while it is open. */
  readonly fileFailure: string | null;
  /** How often the file was opened again after a failure. */
  readonly rebuilds: number;
  /** Handed over and not on disk yet. */
  readonly behindBytes: number;
  /** Milliseconds since the disk last took anything, while something waits; else 0. */
  readonly stalledMs: number;
  /** Whether lines are being dropped at present, because the disk is too slow. */
  readonly dropping: boolean;
  /** Lines the slow disk has cost since the start. */
  readonly drops: Readonly<Record<LogLevel, number>>;
}

/** A day's file goes on in another one after this size. */
const fileSizeMax = "64m";
/** Of all log files together. */
const totalBytesMax = 2 * 2 ** 30;
/** Important lines kept while the file does not take them. */
const missedLinesMax = 1_000;
const sweepEveryMs = 3_600_000;
const dayMs = 86_400_000;

/** What may go to the file was decided before the console had the line, too. */
const onlyTaken = winston.format((info) => (info["toFile"] ? info : false));

export class LogFile {
  readonly #deps: LogFileDeps;
  readonly #drops = noDrops();
  readonly #missed: string[] = [];
  #transport: DailyRotateFile | undefined;
  #backlog = { bytes: 0 };
  /** Drops of the present episode. */
  #dropping: Record<LogLevel, number> | undefined;
  /** When the disk last took something, or was first given something to take. */
  #progressAtMs = 0;
  #writing: string | undefined;
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
        if (this.#backlog === backlog) this.#afterWrite();
      });
      const transport = this.#createTransport(watched);
      // The transport never listens to its own stream: a full disk would end the process.
      transport.logStream.on("error", (error: Error) => this.giveUp(error));
      transport.on("new", (path: string) => {
        this.#writing = path;
        this.#sweepDueAtMs = Number.NEGATIVE_INFINITY;
      });
      this.#backlog = backlog;
      this.#transport = transport;
      this.#failure = null;
      onOpened(transport);
    } catch (error) {
      this.#failure = codeOf(error);
      onFailed(error);
    }
  }

  #createTransport(disk: LogDisk): DailyRotateFile {
    const { directory, keepDays } = this.#deps;
    // A fixed name: the default one changes with the options, and then old files are forgotten.
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

  /** From here on stderr has the important lines. */
  giveUp(error: unknown): void {
    const transport = this.#transport;
    if (!transport) return;
    this.#transport = undefined;
    this.#failure = codeOf(error);
    this.#backlog = { bytes: 0 };
    this.#deps.onGivenUp(transport);
    this.#deps.onFailed(error);
  }

  /** Asked once for each line. What is not taken is dropped, unless it is important (see `miss`). */
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

  /** Important lines go to stderr, and are kept for the file. */
  miss(level: LogLevel, text: string): void {
    if (level !== "error" && level !== "warn") return;
    if (this.#missed.push(text) > missedLinesMax) this.#missed.shift();
    this.#deps.stderr.write(`${text}\n`);
  }

  /** To be called every few seconds: opens the file again, removes old ones. */
  tend(): void {
    const { clock, directory, keepDays, report } = this.#deps;
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

  /** Resolves when all that was taken is on disk; on a stuck disk, never. */
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

  /** What was important meanwhile comes into the file after all. */
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

/** As the system names it, e.g. ENOSPC. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "UNKNOWN";
}
