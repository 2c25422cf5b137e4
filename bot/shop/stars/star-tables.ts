/**
 * Star tables: keep every payment in Telegram Stars by the charge id that Telegram gave it.
 *
 * The charge id is the key of the money: a payment that is delivered again finds its row and changes
 * nothing. Amounts are integers in minor units of the shop's currency, totals are whole Stars.
 */
import type { Sql, TableSet, Transaction } from "../../core/transaction.ts";

/** One payment, and what became of it. */
export interface Charge {
  /** `telegram_payment_charge_id`; also the id in `getStarTransactions`. */
  readonly chargeId: string;
  /** The person who paid. */
  readonly userId: number;
  /** "XTR" for Telegram Stars; nothing else is credited. */
  readonly currency: string;
  /** Whole Stars. */
  readonly total: number;
  /** The invoice's payload, as it came. */
  readonly payload: string;
  /** The amount that entered the account; 0 when the payment is only kept. */
  readonly creditedMinor: number;
  readonly recordedAtEpochMs: number;
  /** When an administrator asked Telegram for the refund. */
  readonly refundAskedAtEpochMs: number | undefined;
  /** When Telegram reported the refund. */
  readonly refundedAtEpochMs: number | undefined;
  /** The amount that left the account for the refund; less than `creditedMinor` when the rest was spent. */
  readonly debitedMinor: number;
}

/** A charge beside what the ledger says about it. */
export interface BookedCharge extends Charge {
  /** Sum of the charge's ledger entries; `creditedMinor - debitedMinor` when all is well. */
  readonly ledgerMinor: number;
}

export type NewCharge = Pick<
  Charge,
  "chargeId" | "creditedMinor" | "currency" | "payload" | "recordedAtEpochMs" | "total" | "userId"
>;

export interface StarTables {
  findCharge(chargeId: string): Promise<Charge | undefined>;
  /** @returns false when the charge is known already; it stays as it is. */
  insertCharge(charge: NewCharge): Promise<boolean>;
  /** Notes that a refund was asked for, and what was debited for it. */
  setRefundAsked(
    chargeId: string,
    askedAtEpochMs: number,
    askedBy: number,
    debitedMinor: number,
  ): Promise<void>;
  /** Notes that Telegram has refunded it, and what was debited for it altogether. */
  setRefunded(chargeId: string, refundedAtEpochMs: number, debitedMinor: number): Promise<void>;
  /** Every charge, oldest first. */
  bookedCharges(): Promise<readonly BookedCharge[]>;
}

/** Returns the Star tables in this transaction. */
export function starsOf(tx: Transaction): StarTables {
  return tx.tables(starTables);
}

/** The reference of a charge's entries in the ledger. */
export function chargeReference(chargeId: string): string {
  return `${referencePrefix}${chargeId}`;
}

const referencePrefix = "stars:";

interface ChargeRow {
  readonly charge_id: string;
  readonly user_id: number;
  readonly currency: string;
  readonly total: number;
  readonly payload: string;
  readonly credited_minor: number;
  readonly recorded_at: number;
  readonly refund_asked_at: number | null;
  readonly refunded_at: number | null;
  readonly debited_minor: number;
}

/** Belongs to the shop's tables: its entries are in their ledger. */
export const starTables: TableSet<StarTables> = {
  name: "stars",
  migrations: [
    {
      sql: `
      CREATE TABLE star_charges (
        charge_id TEXT PRIMARY KEY,
        user_id INTEGER NOT NULL,
        currency TEXT NOT NULL,
        total INTEGER NOT NULL,
        payload TEXT NOT NULL,
        credited_minor INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        refund_asked_at INTEGER,
        refund_asked_by INTEGER,
        refunded_at INTEGER,
        debited_minor INTEGER NOT NULL DEFAULT 0
      );
      `,
    },
  ],
  sealedColumns: [],
  amounts: [{ table: "star_charges", column: "credited_minor" }],
  open: openStarTables,
};

function openStarTables(database: Sql): StarTables {
  const sql = (text: string) => database.prepare(text);
  const find = sql("SELECT * FROM star_charges WHERE charge_id = ?");
  const insert = sql(
    `INSERT INTO star_charges
       (charge_id, user_id, currency, total, payload, credited_minor, recorded_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (charge_id) DO NOTHING`,
  );
  const setAsked = sql(
    `UPDATE star_charges SET refund_asked_at = ?, refund_asked_by = ?, debited_minor = ?
     WHERE charge_id = ?`,
  );
  const setRefunded = sql(
    "UPDATE star_charges SET refunded_at = ?, debited_minor = ? WHERE charge_id = ?",
  );
  const list = sql(
    `SELECT star_charges.*, COALESCE(sum(ledger.amount_minor), 0) AS ledger_minor
     FROM star_charges LEFT JOIN ledger
       ON ledger.kind IN ('topup', 'topup-refund')
       AND ledger.reference = '${referencePrefix}' || star_charges.charge_id
     GROUP BY star_charges.charge_id ORDER BY recorded_at, star_charges.charge_id`,
  );
  return {
    findCharge: async (chargeId) => {
      const row = await find.get<ChargeRow>(chargeId);
      return row && toCharge(row);
    },
    insertCharge: async (charge) =>
      (await insert.run(
        charge.chargeId,
        charge.userId,
        charge.currency,
        charge.total,
        charge.payload,
        charge.creditedMinor,
        charge.recordedAtEpochMs,
      )) > 0,
    setRefundAsked: async (chargeId, askedAtEpochMs, askedBy, debitedMinor) => {
      await setAsked.run(askedAtEpochMs, askedBy, debitedMinor, chargeId);
    },
    setRefunded: async (chargeId, refundedAtEpochMs, debitedMinor) => {
      await setRefunded.run(refundedAtEpochMs, debitedMinor, chargeId);
    },
    bookedCharges: async () => {
      const rows = await list.all<ChargeRow & { readonly ledger_minor: number }>();
      return rows.map((row) => ({ ...toCharge(row), ledgerMinor: row.ledger_minor }));
    },
  };
}

function toCharge(row: ChargeRow): Charge {
  return {
    chargeId: row.charge_id,
    userId: row.user_id,
    currency: row.currency,
    total: row.total,
    payload: row.payload,
    creditedMinor: row.credited_minor,
    recordedAtEpochMs: row.recorded_at,
    refundAskedAtEpochMs: row.refund_asked_at ?? undefined,
    refundedAtEpochMs: row.refunded_at ?? undefined,
    debitedMinor: row.debited_minor,
  };
}
