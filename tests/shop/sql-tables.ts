/**
 * SQL tables: the shop's table sets on a database in memory, with their own SQL, for tests without a store.
 *
 * Seals are only marked, so a value that is opened at another place is noticed.
 */
import { DatabaseSync } from "node:sqlite";
import type { Sealer, Sql, SqlValue, TableSet } from "../../bot/core/transaction.ts";

const sealer: Sealer = {
  seal: (text, place) => Buffer.from(JSON.stringify([place, text])),
  open: (sealed, place) => {
    const [sealedFor, text] = JSON.parse(Buffer.from(sealed as Uint8Array).toString()) as string[];
    if (sealedFor !== place) throw new Error(`sealed for ${sealedFor}, opened at ${place}`);
    return text ?? "";
  },
  indexes: (text, column) => [Buffer.from(`${column} ${text}`)],
};

export class SqlTables {
  readonly #sets: readonly TableSet<object>[];
  /** Made at the first use, because most tests never need it. */
  #database: DatabaseSync | undefined;
  readonly #open = new Map<TableSet<object>, object>();
  #begun = false;

  constructor(sets: readonly TableSet<object>[]) {
    this.#sets = sets;
  }

  /** The tables of a set; `onCall` may throw. */
  tables<Tables extends object>(set: TableSet<Tables>, onCall: () => void): Tables {
    this.#database ??= this.#make();
    const opened = this.#open.get(set);
    if (!opened) throw new Error(`the tables "${set.name}" are not open`);
    return new Proxy(opened, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...values: readonly unknown[]) => {
          onCall();
          return (await method.apply(target, values)) as unknown;
        };
      },
    }) as Tables;
  }

  begin(): void {
    this.#begun = true;
    this.#database?.exec("BEGIN");
  }

  end(kept: boolean): void {
    this.#begun = false;
    this.#database?.exec(kept ? "COMMIT" : "ROLLBACK");
  }

  #make(): DatabaseSync {
    const database = new DatabaseSync(":memory:");
    const sql: Sql = {
      prepare: (text) => {
        const statement = database.prepare(text);
        return {
          run: (...values) => Number(statement.run(...values).changes),
          insert: (...values) => Number(statement.run(...values).lastInsertRowid),
          get: (...values: SqlValue[]) => statement.get(...values) as never,
          all: (...values: SqlValue[]) => statement.all(...values) as never,
        };
      },
    };
    for (const set of this.#sets) {
      for (const migration of set.migrations) database.exec(migration.sql);
      this.#open.set(set, set.open(sql, sealer));
    }
    if (this.#begun) database.exec("BEGIN");
    return database;
  }
}
