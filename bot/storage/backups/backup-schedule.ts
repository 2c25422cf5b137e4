/**
 * Backup schedule: makes backups by itself, and has the operator's command carry them away.
 *
 * The age of the last good backup is read from the files, so it survives a restart, and a backup
 * made by hand counts. The command is due while it has not succeeded on the newest backup; a fact in
 * the store remembers that as well. A failure of either is tried again after a while, and waits for
 * nothing else. Owns one loop.
 */
import { type Clock, steadyEpoch } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import { withDeadline } from "../../core/deadline.ts";
import { BackupCommandFailedError, BackupFailedError, recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import { Loop } from "../../core/loop.ts";
import type { FactStore } from "../../core/store.ts";
import { backupDueInMs, commandDueInMs } from "./backup-rules.ts";

/** A good backup that is there. */
export interface KnownBackup {
  readonly file: string;
  readonly atEpochMs: number;
}

export interface BackupScheduleDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  /** Milliseconds between two backups; 0: none is made by itself. */
  readonly everyMs: number;
  /** Makes and proves a backup. Rejects with a `BotError`. */
  readonly backUp: () => Promise<unknown>;
  /** Every good backup that is there, oldest first. */
  readonly find: () => Promise<readonly KnownBackup[]>;
  readonly facts: Pick<FactStore, "getFact" | "setFact">;
  /**
   * Runs the operator's command on a file; missing when none is configured. Tells what it writes by
   * `hear`, ends with all its children when `signal` aborts, and rejects when it fails.
   */
  readonly runCommand?: (
    file: string,
    hear: (text: string) => void,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** Figures of the schedule, for health. */
export interface BackupSnapshot {
  readonly everyMs: number;
  /** Milliseconds since the last good backup was begun; `null` when there is none. */
  readonly ageMs: number | null;
  /** Milliseconds since this schedule was started. */
  readonly upMs: number;
  /** Code of the error that the last backup ended with; `null` when it succeeded. */
  readonly failure: string | null;
  /** The same of the command. */
  readonly commandFailure: string | null;
}

/** Name of the fact: the newest file on which the command has succeeded. */
const carriedFact = "backup.carried";
const backupDeadlineMs = 1_800_000;
const commandDeadlineMs = 1_800_000;
const factDeadlineMs = 60_000;
/** Characters of the command's output that are kept: the last ones, which say how it ended. */
const outputMax = 2_000;
/** A backup that is named later than this from now was named by a wrong clock. */
const aheadMsMax = 60_000;

interface Failure {
  readonly code: string;
  readonly atMs: number;
}

export class BackupSchedule implements Component {
  readonly name = "backup-schedule";
  readonly #deps: BackupScheduleDeps;
  readonly #loop: Loop;
  readonly #now: () => number;
  #startedAtMs = 0;
  #latest: KnownBackup | undefined;
  #carried: string | undefined;
  #failure: Failure | undefined;
  #commandFailure: Failure | undefined;

  constructor(deps: BackupScheduleDeps) {
    this.#deps = deps;
    this.#now = steadyEpoch(deps.clock);
    this.#loop = new Loop(deps.clock, (loop) => this.#run(loop));
  }

  async start(): Promise<void> {
    this.#startedAtMs = this.#deps.clock.monotonicMs();
    this.#loop.start();
  }

  /** Ends the command at once; it runs again after the next start, as it has not succeeded. */
  async drain(): Promise<readonly string[]> {
    await this.#loop.stop();
    return [];
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Beats once per look; overdue when a backup or the command outlasts its deadline. */
  heartbeat(): Heartbeat {
    return this.#loop.heartbeat;
  }

  /** Looks at once whether something is due: a backup was made by hand. */
  wake(): void {
    this.#loop.wake();
  }

  snapshot(): BackupSnapshot {
    const { everyMs } = this.#deps;
    return {
      everyMs,
      ageMs: this.#ageMs() ?? null,
      upMs: this.#deps.clock.monotonicMs() - this.#startedAtMs,
      failure: this.#failure?.code ?? null,
      commandFailure: this.#commandFailure?.code ?? null,
    };
  }

  async #run(loop: Loop): Promise<void> {
    do {
      loop.expect(backupDeadlineMs + commandDeadlineMs + 2 * factDeadlineMs);
      await this.#backUpIfDue();
      if (!loop.stopped) await this.#carryIfDue();
    } while (await loop.wait(Math.min(this.#backupDueInMs(), this.#commandDueInMs())));
  }

  async #backUpIfDue(): Promise<void> {
    const { backUp, clock, publish } = this.#deps;
    try {
      await this.#look();
      if (this.#backupDueInMs() > 0) return;
      await this.#inTime(backupDeadlineMs, backUp, () => {
        throw new BackupFailedError(
          `no backup was made within ${backupDeadlineMs / 60_000} minutes`,
          {
            hint: "Check the disk of DATA_DIR.",
          },
        );
      });
      this.#failure = undefined;
      await this.#look();
    } catch (error) {
      if (this.#loop.stopped) return;
      const record = recordError(error, clock.epochMs());
      this.#failure = { code: record.code, atMs: clock.monotonicMs() };
      publish({ type: "backup.failed", error: record });
    }
  }

  async #look(): Promise<void> {
    const { facts, find } = this.#deps;
    const [found, carried] = await this.#inTime(
      factDeadlineMs,
      () => Promise.all([find(), facts.getFact(carriedFact)]),
      () => {
        throw new BackupFailedError("the directory of the backups does not answer");
      },
    );
    const latestAtEpochMs = this.#now() + aheadMsMax;
    this.#latest = found.findLast(({ atEpochMs }) => atEpochMs <= latestAtEpochMs);
    this.#carried = carried;
  }

  async #carryIfDue(): Promise<void> {
    const { clock, facts, publish, runCommand } = this.#deps;
    const file = this.#latest?.file;
    if (!runCommand || file === undefined || this.#commandDueInMs() > 0) return;
    let output = "";
    const hear = (text: string) => {
      output = `${output}${text}`.slice(-outputMax);
    };
    const startedAtMs = clock.monotonicMs();
    try {
      await this.#inTime(
        commandDeadlineMs,
        (signal) => runCommand(file, hear, signal),
        () => {
          const minutes = commandDeadlineMs / 60_000;
          throw new BackupCommandFailedError(`the command did not end within ${minutes} minutes`);
        },
      );
      const durationMs = Math.round(clock.monotonicMs() - startedAtMs);
      this.#carried = file;
      this.#commandFailure = undefined;
      publish({ type: "backup.carried-away", file, durationMs, output });
      await facts.setFact(carriedFact, file);
    } catch (error) {
      if (this.#loop.stopped) return;
      const record = recordError(error, clock.epochMs());
      this.#commandFailure = { code: record.code, atMs: clock.monotonicMs() };
      publish({ type: "backup.command-failed", file, error: record, output });
    }
  }

  #inTime<T>(ms: number, work: (signal: AbortSignal) => Promise<T>, late: () => T): Promise<T> {
    const options = { late, signal: this.#loop.signal };
    return withDeadline(this.#deps.clock, ms, ({ signal }) => work(signal), options);
  }

  #ageMs(): number | undefined {
    return this.#latest && Math.max(0, this.#now() - this.#latest.atEpochMs);
  }

  #backupDueInMs(): number {
    const failedAgoMs = this.#agoMs(this.#failure);
    return backupDueInMs({ ...this.#times(), ageMs: this.#ageMs(), failedAgoMs });
  }

  #commandDueInMs(): number {
    const { runCommand } = this.#deps;
    const due = runCommand && this.#latest && this.#latest.file !== this.#carried;
    if (!due) return Number.POSITIVE_INFINITY;
    return commandDueInMs({ ...this.#times(), failedAgoMs: this.#agoMs(this.#commandFailure) });
  }

  #times() {
    const { everyMs } = this.#deps;
    return { everyMs, upMs: this.#deps.clock.monotonicMs() - this.#startedAtMs };
  }

  #agoMs(failure: Failure | undefined): number | undefined {
    return failure && this.#deps.clock.monotonicMs() - failure.atMs;
  }
}
