/** Crashing database: SQLite of a process that dies at a chosen commit, just before or just after it. */
import { StorageFailedError } from "../../contracts/errors.ts";
import {
  type Database,
  type OpenDatabase,
  openNodeSqlite,
  type Statement,
} from "../../storage/sqlite-driver.ts";

export interface CrashPlan {
  /** Which group commit is the last one; `Infinity` for none. */
  readonly atCommit: number;
  /** Whether that commit still reached the disk, although nobody heard of it. */
  readonly reachedDisk: boolean;
}

/** One process's way to its files. After the crash it cannot touch them any more. */
export class CrashingDatabases {
  readonly #plan: CrashPlan;
  readonly #files: Database[] = [];
  #commits = 0;
  #dead = false;

  constructor(plan: CrashPlan) {
    this.#plan = plan;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Group commits so far. */
  get commits(): number {
    return this.#commits;
  }

  readonly open: OpenDatabase = (path, options) => {
    const file = openNodeSqlite(path, options);
    this.#files.push(file);
    const isDead = () => this.#dead;
    return {
      prepare: (sql) => this.#guard(file.prepare(sql), sql === "COMMIT"),
      exec: (sql) => {
        this.#checkAlive();
        file.exec(sql);
      },
      get inTransaction() {
        return !isDead() && file.inTransaction;
      },
      close: () => {
        if (!this.#dead) file.close();
        this.#files.splice(this.#files.indexOf(file), 1);
      },
    };
  };

  #guard(statement: Statement, commits: boolean): Statement {
    return {
      run: (...parameters) => {
        this.#checkAlive();
        if (commits) this.#commit(statement);
        return commits ? 0 : statement.run(...parameters);
      },
      insert: (...parameters) => {
        this.#checkAlive();
        return statement.insert(...parameters);
      },
      get: <Row>(...parameters: Parameters<Statement["get"]>) => {
        this.#checkAlive();
        return statement.get<Row>(...parameters);
      },
      all: <Row>(...parameters: Parameters<Statement["all"]>) => {
        this.#checkAlive();
        return statement.all<Row>(...parameters);
      },
    };
  }

  #commit(statement: Statement): void {
    this.#commits++;
    const last = this.#commits === this.#plan.atCommit;
    if (!last || this.#plan.reachedDisk) statement.run();
    if (last) this.#die();
  }

  /** What is not committed is rolled back, and the lock is free. */
  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const file of this.#files) file.close();
  }

  #die(): never {
    this.kill();
    throw new StorageFailedError("the simulated process has died");
  }

  #checkAlive(): void {
    if (this.#dead) throw new StorageFailedError("the simulated process is dead");
  }
}
