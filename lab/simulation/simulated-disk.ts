/**
 * Simulated disk: SQLite of a process that may fail or die at any statement and any commit.
 *
 * The files are real; deaths and errors of the disk are simulated. One instance serves one process.
 * After the process's death it cannot touch the files any more, uncommitted data is gone, and after a power
 * cut also what was not synced. The next process finds the rest.
 */
import { StorageFailedError, StorageFullError } from "../../bot/core/errors.ts";
import { commitsUnsynced } from "../../bot/storage/sqlite/group-commit.ts";
import {
  type Database,
  type OpenDatabase,
  openNodeSqlite,
  type SqliteStatement,
} from "../../bot/storage/sqlite/sqlite-driver.ts";
import { PowerCut } from "./power-cut.ts";

/** A fault at one point. `reachedDisk`: whether the commit is durable, although it failed. */
export type DiskFault =
  | { readonly kind: "die"; readonly reachedDisk: boolean }
  | { readonly kind: "full" }
  | { readonly kind: "sync-failed"; readonly reachedDisk: boolean };

/** Called before every statement that may write, and before every group commit. */
export type StrikeDisk = (point: "statement" | "commit") => DiskFault | undefined;

/** A process that dies at one of its group commits. */
export interface CrashPlan {
  /** Which group commit is the last one; `Infinity` for none. */
  readonly atCommit: number;
  /** Whether that commit still reached the disk. */
  readonly reachedDisk: boolean;
}

/** Makes the process die as a crash plan says. */
export function crashAsPlanned({ atCommit, reachedDisk }: CrashPlan): StrikeDisk {
  let commits = 0;
  return (point) => {
    if (point === "statement") return undefined;
    return ++commits === atCommit ? { kind: "die", reachedDisk } : undefined;
  };
}

export class SimulatedDisk {
  readonly #strike: StrikeDisk;
  readonly #onDeath: (reason: string) => void;
  readonly #syncing: () => Promise<void>;
  readonly #files: Database[] = [];
  /** Of the databases whose commits are synced by the bot. */
  readonly #powerCuts: PowerCut[] = [];
  #commits = 0;
  #dead = false;

  /**
   * @param onDeath Called when the process has died at this disk.
   * @param syncing Resolves when a sync is over. Default: at once.
   */
  constructor(
    strike: StrikeDisk,
    onDeath: (reason: string) => void = () => {},
    syncing: () => Promise<void> = async () => {},
  ) {
    this.#strike = strike;
    this.#onDeath = onDeath;
    this.#syncing = syncing;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Number of group commits so far. */
  get commits(): number {
    return this.#commits;
  }

  readonly open: OpenDatabase = (path, options) => {
    this.#checkAlive();
    const powerCut = new PowerCut(path);
    const file = openNodeSqlite(path, {
      ...options,
      syncFile: async () => {
        const over = powerCut.syncBegins();
        await this.#syncing();
        this.#checkAlive();
        over();
      },
    });
    this.#files.push(file);
    const isDead = () => this.#dead;
    return {
      prepare: (sql) => this.#guard(file.prepare(sql), sql === "COMMIT"),
      exec: (sql) => {
        this.#pass("statement", () => {});
        file.exec(sql);
        if (sql !== commitsUnsynced) return;
        powerCut.syncBegins()();
        this.#powerCuts.push(powerCut);
      },
      get inTransaction() {
        return !isDead() && file.inTransaction;
      },
      sync: async () => {
        this.#checkAlive();
        await file.sync();
      },
      close: () => {
        if (!this.#dead) file.close();
        this.#files.splice(this.#files.indexOf(file), 1);
      },
    };
  };

  #guard(statement: SqliteStatement, commits: boolean): SqliteStatement {
    return {
      run: (...parameters) => {
        if (commits) this.#commits++;
        const point = commits ? "commit" : "statement";
        this.#pass(point, () => commits && statement.run());
        return statement.run(...parameters);
      },
      insert: (...parameters) => {
        this.#pass("statement", () => {});
        return statement.insert(...parameters);
      },
      get: <Row>(...parameters: Parameters<SqliteStatement["get"]>) => {
        this.#checkAlive();
        return statement.get<Row>(...parameters);
      },
      all: <Row>(...parameters: Parameters<SqliteStatement["all"]>) => {
        this.#checkAlive();
        return statement.all<Row>(...parameters);
      },
    };
  }

  /** Throws when a fault strikes at this point. */
  #pass(point: "statement" | "commit", commit: () => void): void {
    this.#checkAlive();
    const fault = this.#strike(point);
    // The strike may itself have killed the process.
    this.#checkAlive();
    if (!fault) return;
    if (fault.kind === "full") throw new StorageFullError("the simulated disk is full");
    if (fault.reachedDisk) commit();
    if (fault.kind === "sync-failed") {
      throw new StorageFailedError("the simulated disk could not sync");
    }
    this.kill();
    this.#checkAlive();
  }

  /** Ends the process's access as `kill -9` does: open transactions roll back, the lock is freed. */
  kill(): void {
    if (!this.#dead) this.#die("killed at the disk");
  }

  /**
   * Ends the process as a loss of power does.
   *
   * @param part How much of what was not synced has reached the disk nevertheless, 0 to 1.
   */
  cutPower(part: number): void {
    if (this.#dead) return;
    const putBacks = this.#powerCuts.map((powerCut) => powerCut.strike(part));
    this.#die("the power was cut", putBacks);
  }

  #die(reason: string, putBacks: readonly (() => void)[] = []): void {
    this.#dead = true;
    for (const file of this.#files) file.close();
    for (const putBack of putBacks) putBack();
    this.#onDeath(reason);
  }

  #checkAlive(): void {
    if (this.#dead) throw new StorageFailedError("the simulated process is dead");
  }
}
