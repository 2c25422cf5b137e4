/**
 * Group commit: runs many closures in one transaction.
 *
 * A guarded closure has its own savepoint, so one that throws undoes only its own work. The others
 * cost less, and must change nothing when they throw. All closures submitted in the same turn of the
 * event loop share a transaction, and their promises resolve only after it is on disk (group-sync.ts).
 * Closures run one at a time, in the order of submission but for those that ask to be the last.
 * Who only begins work in this process may be told before the sync (docs/decisions/0034).
 *
 * Reads have a turn of their own between two transactions, and cost no commit. What follows from them
 * is committed after what they have seen, so it never reaches the disk alone.
 */
import type { Clock } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import {
  type BotError,
  DataRefusedError,
  isStorageError,
  StorageClosedError,
  StorageFailedError,
  TransactionTooSlowError,
} from "../../core/errors.ts";
import { type Heartbeat, Pulse, worstOf } from "../../core/heartbeat.ts";
import { GroupSync } from "./group-sync.ts";
import type { Database, SqliteStatement } from "./sqlite-driver.ts";

export interface GroupCommitDeps {
  readonly database: Database;
  readonly clock: Clock;
  /** Milliseconds a closure may take; it should wait only for the database. Default 1000. */
  readonly closureLimitMs?: number;
  /**
   * Called at every sync; throws when it does not reach the file that the next start will open.
   * Default: never.
   */
  readonly verify?: () => void;
  /** Called inside every transaction before its commit: writes what its closures have collected. */
  readonly flush?: () => void;
  /** Called when a transaction is committed, before its promises resolve. */
  readonly committed?: () => void;
  /** Called when nothing of a transaction has happened and another one may be tried. */
  readonly rolledBack?: () => void;
  /** Called once, when a commit or a sync failed and must not be tried again. */
  readonly onFatal: (error: BotError) => void;
  /** Runs work after the I/O callbacks of this turn. Default: `setImmediate`. */
  readonly defer?: (work: () => void) => void;
}

/**
 * After its commit a transaction outlives this process, after a sync the machine as well. What is told
 * after the commit must lead to nothing outside of this process that is not committed itself. `shared-sync`
 * has time for the sync of another commit, a few turns of the event loop.
 */
export type ToldAfter = "commit" | "sync" | "shared-sync";

interface Job {
  readonly work: () => unknown;
  readonly toldAfter: ToldAfter;
  /** `bare` changes nothing when it throws; `guarded` has a savepoint; `last` is bare and waits for the others. */
  readonly kind: "bare" | "guarded" | "last";
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type JobResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

type Read = Omit<Job, "kind" | "toldAfter">;

/** Maximum closures in a transaction, which bounds the wait of the others. */
const jobsPerCommitMax = 500;

/** From this statement on the group sync makes commits durable, so that the event loop goes on meanwhile. */
export const commitsUnsynced = "PRAGMA synchronous = NORMAL";

export class GroupCommit {
  readonly #deps: GroupCommitDeps;
  readonly #pulse: Pulse;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #savepoint: SqliteStatement;
  readonly #release: SqliteStatement;
  readonly #beginReads: SqliteStatement;
  readonly #endReads: SqliteStatement;
  readonly #changes: SqliteStatement;
  readonly #sync: GroupSync;
  readonly #defer: (work: () => void) => void;
  #jobs: Job[] = [];
  #reads: Read[] = [];
  /** Whether the last turn was one of reads. */
  #hasRead = false;
  #turning: Promise<void> | undefined;
  #scheduled = false;
  #ended: BotError | undefined;
  #closureNumber = 0;

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps;
    this.#pulse = new Pulse(deps.clock);
    this.#defer = deps.defer ?? setImmediate;
    this.#sync = new GroupSync({
      clock: deps.clock,
      sync: () => this.#syncVerified(),
      failed: (error) => this.#end(error),
      defer: this.#defer,
    });
    this.#begin = deps.database.prepare("BEGIN IMMEDIATE");
    this.#commit = deps.database.prepare("COMMIT");
    this.#savepoint = deps.database.prepare("SAVEPOINT job");
    this.#release = deps.database.prepare("RELEASE job");
    this.#beginReads = deps.database.prepare("BEGIN");
    this.#endReads = deps.database.prepare("ROLLBACK");
    this.#changes = deps.database.prepare("SELECT total_changes() AS count");
    deps.database.exec(commitsUnsynced);
  }

  /**
   * Runs `work`, which changes nothing when it throws, inside the next transaction. Resolves with its
   * result after a sync. Rejects with the error of `work`, or with the error that ended the whole
   * transaction.
   */
  run<T>(work: () => T, toldAfter: ToldAfter = "sync"): Promise<T> {
    return this.#submit(work, "bare", toldAfter);
  }

  /** Runs `work` like `run`, after all others of its transaction. */
  runLast<T>(work: () => T, toldAfter: ToldAfter = "sync"): Promise<T> {
    return this.#submit(work, "last", toldAfter);
  }

  /** Runs `work` like `run`, in a savepoint: nothing of it is kept when it throws. */
  runGuarded<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#submit(work, "guarded");
  }

  #submit<T>(
    work: () => T | Promise<T>,
    kind: Job["kind"],
    toldAfter: ToldAfter = "sync",
  ): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((given, reject) => {
      const resolve = given as (value: unknown) => void;
      this.#jobs.push({ work, kind, toldAfter, resolve, reject });
      this.#schedule();
    });
  }

  /**
   * Runs `work`, which only reads, while no transaction is open. Rejects with the error of `work`, and with
   * `DataRefusedError` when it has written something, of which nothing is kept.
   */
  read<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      this.#reads.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Identifies the running closure; it changes when a closure ends or is given up as too slow. */
  get closureNumber(): number {
    return this.#closureNumber;
  }

  /** Beats once per transaction; overdue only while closures are waiting, or a sync does not end. */
  get heartbeat(): Heartbeat {
    return worstOf([this.#pulse.heartbeat, this.#sync.heartbeat]);
  }

  /** Asks `verify` without a commit, so that an idle store notices as well. */
  verify(): void {
    try {
      if (!this.#ended) this.#deps.verify?.();
    } catch (error) {
      this.#end(error);
    }
  }

  /** Commits what was submitted, then refuses everything else. */
  async close(): Promise<void> {
    while (this.#hasWork || this.#turning !== undefined || !this.#sync.idle) {
      await this.#flush();
      await this.#sync.finish();
    }
    this.#ended ??= new StorageClosedError("the store is closed");
  }

  get #hasWork(): boolean {
    return this.#jobs.length > 0 || this.#reads.length > 0;
  }

  #schedule(): void {
    if (this.#scheduled || this.#turning !== undefined) return;
    this.#scheduled = true;
    this.#pulse.expect(0);
    // Deferred until after this turn's I/O callbacks, so that their closures share one transaction.
    this.#defer(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  #flush(): Promise<void> {
    this.#turning ??= this.#turn().finally(() => {
      this.#turning = undefined;
      this.#pulse.beat(Number.POSITIVE_INFINITY);
      if (this.#hasWork) this.#schedule();
    });
    return this.#turning;
  }

  /** Reads go first, but not twice in a row while something waits for its commit. */
  #turn(): Promise<void> {
    const reads = this.#reads.length > 0 && !(this.#hasRead && this.#jobs.length > 0);
    this.#hasRead = reads;
    return reads ? this.#runReads() : this.#commitJobs();
  }

  async #runReads(): Promise<void> {
    const reads = this.#reads.splice(0, jobsPerCommitMax);
    try {
      this.#refuseWhenEnded();
      this.#beginReads.run();
      let changesBefore = this.#changesSoFar();
      for (const read of reads) {
        const result = await this.#runRead(read);
        const changes = this.#changesSoFar();
        if (changes !== changesBefore) read.reject(writtenInRead());
        else if (result.ok) read.resolve(result.value);
        else read.reject(result.error);
        changesBefore = changes;
      }
      this.#endReads.run();
    } catch (error) {
      this.#abandon(error);
      // Those that were answered before do not hear of it.
      for (const { reject } of reads) reject(error);
    }
  }

  async #runRead({ work }: Read): Promise<JobResult> {
    this.#closureNumber++;
    try {
      const pending = work();
      const value = pending instanceof Promise ? await this.#limited(pending) : pending;
      return { ok: true, value };
    } catch (error) {
      if (isStorageError(error)) throw error;
      return { ok: false, error };
    } finally {
      this.#closureNumber++;
    }
  }

  #changesSoFar(): number {
    return this.#changes.get<{ count: number }>()?.count ?? 0;
  }

  async #commitJobs(): Promise<void> {
    const taken = this.#jobs.splice(0, jobsPerCommitMax);
    if (taken.length === 0) return;
    const isLast = ({ kind }: Job) => kind === "last";
    const jobs = [...taken.filter((job) => !isLast(job)), ...taken.filter(isLast)];
    const results: JobResult[] = [];
    try {
      this.#refuseWhenEnded();
      this.#begin.run();
      for (const job of jobs) {
        results.push(job.kind === "guarded" ? await this.#runGuarded(job) : this.#runBare(job));
      }
      this.#deps.flush?.();
      // A sync may have failed while a closure waited.
      this.#refuseWhenEnded();
      this.#commit.run();
      this.#deps.committed?.();
    } catch (error) {
      this.#abandon(error);
      rejectAll(jobs, error);
      return;
    }
    this.#sync.add(
      {
        durable: () => settle(jobs, results, ({ toldAfter }) => toldAfter !== "commit"),
        failed: (error) => rejectAll(jobs, error),
      },
      jobs.some(({ toldAfter }) => toldAfter === "sync") ? "now" : "shared",
    );
    settle(jobs, results, ({ toldAfter }) => toldAfter === "commit");
  }

  async #syncVerified(): Promise<void> {
    const verified = async () => this.#deps.verify?.();
    await Promise.all([this.#deps.database.sync(), verified()]);
  }

  /** Runs one closure without a savepoint. Throws when the whole transaction is lost. */
  #runBare(job: Job): JobResult {
    try {
      return { ok: true, value: job.work() };
    } catch (error) {
      if (isStorageError(error)) throw error;
      return { ok: false, error };
    }
  }

  /** Runs one closure in its savepoint. Throws only when the whole transaction is lost. */
  async #runGuarded(job: Job): Promise<JobResult> {
    this.#savepoint.run();
    try {
      this.#closureNumber++;
      const pending = job.work();
      const value = pending instanceof Promise ? await this.#limited(pending) : pending;
      this.#release.run();
      return { ok: true, value };
    } catch (error) {
      if (isStorageError(error) || !this.#deps.database.inTransaction) throw error;
      this.#deps.database.exec("ROLLBACK TO job");
      this.#release.run();
      return { ok: false, error };
    } finally {
      this.#closureNumber++;
    }
  }

  #limited(pending: Promise<unknown>): Promise<unknown> {
    const limitMs = this.#deps.closureLimitMs ?? 1000;
    return withDeadline(this.#deps.clock, limitMs, () => pending, {
      late: () => {
        throw new TransactionTooSlowError(limitMs);
      },
    });
  }

  #refuseWhenEnded(): void {
    if (this.#ended) throw this.#ended;
  }

  /** Undoes the open transaction, after an error that may be no reason to end. */
  #abandon(error: unknown): void {
    this.#end(error);
    try {
      if (this.#deps.database.inTransaction) this.#deps.database.exec("ROLLBACK");
      if (!this.#ended) this.#deps.rolledBack?.();
    } catch (cause) {
      this.#ended ??= new StorageFailedError("rolling back failed", { cause });
      this.#deps.onFatal(this.#ended);
    }
  }

  /** Refuses everything from now on, after an error of the storage that will not pass. */
  #end(error: unknown): void {
    if (this.#ended || !isStorageError(error) || error.transient) return;
    // A failed sync may have dropped pages ("fsyncgate"), so this connection is not used again.
    this.#ended = error;
    this.#deps.onFatal(error);
  }
}

/** Tells the outcome to those jobs that `whose` chooses. */
function settle(
  jobs: readonly Job[],
  results: readonly JobResult[],
  whose: (job: Job) => boolean,
): void {
  for (const [index, job] of jobs.entries()) {
    const result = results[index];
    if (!result || !whose(job)) continue;
    if (result.ok) job.resolve(result.value);
    else job.reject(result.error);
  }
}

function rejectAll(jobs: readonly Job[], error: unknown): void {
  for (const { reject } of jobs) reject(error);
}

/** The error of a read that has written, or wants to. */
export function writtenInRead(): DataRefusedError {
  const mend = "Write in a transaction: await ctx.transaction((tx) => …).";
  return new DataRefusedError("read: work", "work that only reads", "one that writes", mend);
}
