/** Module tables: what the tables of a module see of a transaction, which is over when its work is. */
import type { KeyedMessages } from "../../core/keyed-messages.ts";
import type { Sql, SqlValue, TableSet, Transaction } from "../../core/transaction.ts";
import { fencedTransaction, transactionOver } from "../fenced-transaction.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { documentTables } from "../sqlite/document-table.ts";
import type { TableSetList } from "../sqlite/table-sets.ts";
import type { Connection } from "./connection.ts";
import { toPostgresParameters } from "./sql-dialect.ts";

export interface ModuleTablesDeps {
  readonly connection: Connection;
  readonly ring: KeyRing;
  readonly tableSets: TableSetList;
  readonly nowEpochMs: number;
  readonly messages: KeyedMessages;
}

/**
 * Runs `work` with a transaction that it can use until it settles.
 *
 * @param signal Aborts when the work is given up; from then on it can use nothing either.
 */
export async function runWork<T>(
  { connection, messages, nowEpochMs, ring, tableSets }: ModuleTablesDeps,
  work: (tx: Transaction) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  let settled = false;
  const isOver = () => settled || signal?.aborted === true;
  const sql = sqlOf(connection, isOver);
  const open = <Tables extends object>(set: TableSet<Tables>): Tables => {
    if (tableSets.includes(set)) return set.open(sql, ring);
    throw new Error(`the running module does not list the tables "${set.name}"`);
  };
  const transaction = fencedTransaction({
    nowEpochMs,
    isOver,
    messages,
    open,
    documents: () => documentTables.open(sql, ring).at(nowEpochMs),
    lock: async (name) => {
      await connection.run(lockSql, [name]);
    },
    deleteDeadLettersOfLane: async (lane) => {
      await connection.run(
        `DELETE FROM steps WHERE origin IN (SELECT coalesce(origin, id) FROM dead_letters WHERE ${ofLane})`,
        [lane],
      );
      return connection.run(`DELETE FROM dead_letters WHERE ${ofLane}`, [lane]);
    },
  });
  try {
    return await work(transaction);
  } finally {
    settled = true;
  }
}

/** The schema is part of the name, because locks belong to the database, which several bots may share. */
const lockSql = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ':' || $1, 0))";

/** A message skipped in its lane died in its own lane, which is named after the first. */
const ofLane = "(lane = $1 OR lane LIKE replace(replace($1, '%', '\\%'), '_', '\\_') || '~%')";

/** The connection as a module's tables see it, until it is over. */
export function sqlOf(connection: Connection, isOver: () => boolean): Sql {
  const live = (): Connection => {
    if (!isOver()) return connection;
    throw transactionOver();
  };
  return {
    prepare: (given) => {
      const text = toPostgresParameters(given);
      return {
        run: async (...values: SqlValue[]) => live().run(text, values),
        insert: async (...values: SqlValue[]) => {
          const [row] = await live().all<Record<string, unknown>>(`${text} RETURNING *`, values);
          return Number(Object.values(row ?? {})[0]);
        },
        get: async <Row>(...values: SqlValue[]) => (await live().all<Row>(text, values))[0],
        all: async <Row>(...values: SqlValue[]) => live().all<Row>(text, values),
      };
    },
  };
}
