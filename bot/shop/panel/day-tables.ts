/** Day tables: what a day brought, read from the ledger and from the payments in Stars. They write nothing. */
import type { Sql, TableSet, Transaction } from "../../core/transaction.ts";

/** The figures of a day. */
export interface Day {
  /** Money paid for orders, less refunds. */
  readonly turnoverMinor: number;
  readonly orders: number;
  readonly topups: number;
  /** Whole Stars of these top-ups, also of those that were refunded later. */
  readonly stars: number;
}

export interface DayTables {
  /** @param untilEpochMs The first instant that does not belong to it. */
  day(fromEpochMs: number, untilEpochMs: number): Promise<Day>;
}

export function daysOf(tx: Transaction): DayTables {
  return tx.tables(dayTables);
}

/** Comes after the tables that it reads. */
export const dayTables: TableSet<DayTables> = {
  name: "shop-days",
  migrations: [{ sql: "CREATE INDEX star_charges_by_time ON star_charges (recorded_at);" }],
  sealedColumns: [],
  open: openDayTables,
};

function openDayTables(database: Sql): DayTables {
  const orders = database.prepare(
    `SELECT COALESCE(-sum(amount_minor), 0) AS minor,
       COALESCE(sum(CASE WHEN kind = 'purchase' THEN 1 ELSE 0 END), 0) AS orders
     FROM ledger WHERE created_at >= ? AND created_at < ? AND kind IN ('purchase', 'refund')`,
  );
  const topups = database.prepare(
    `SELECT count(*) AS topups, COALESCE(sum(total), 0) AS stars
     FROM star_charges WHERE recorded_at >= ? AND recorded_at < ? AND currency = 'XTR'`,
  );
  return {
    day: async (fromEpochMs, untilEpochMs) => {
      const sold = await orders.get<{ minor: number; orders: number }>(fromEpochMs, untilEpochMs);
      const paid = await topups.get<{ topups: number; stars: number }>(fromEpochMs, untilEpochMs);
      return {
        turnoverMinor: sold?.minor ?? 0,
        orders: sold?.orders ?? 0,
        topups: paid?.topups ?? 0,
        stars: paid?.stars ?? 0,
      };
    },
  };
}
