/**
 * Reconciliation: fetches Telegram's list of Star transactions and settles how the books differ.
 *
 * A payment that never reached the books is credited, and a refund is taken out, by the same functions and
 * so just as once as by their updates. Everything else is for an operator, and is only reported.
 */
import { z } from "zod";
import type { Transaction } from "../../core/transaction.ts";
import {
  type Difference,
  findDifferences,
  type ListedTransaction,
} from "./reconciliation-rules.ts";
import { type StarTables, starsOf } from "./star-tables.ts";
import { starCurrency } from "./topup-rules.ts";
import {
  type CreditResult,
  type CreditRules,
  creditPayment,
  type Payment,
  recordRefund,
} from "./topups.ts";

/** Asks Telegram for a page of its list. Source: Bot API, getStarTransactions. */
export type AskForTransactions = (page: {
  readonly offset: number;
  readonly limit: number;
}) => Promise<unknown>;

/** The most that Telegram gives at once. Source: Bot API, getStarTransactions. */
const pageLength = 100;
/** Protects against a list that never ends. */
const pagesMax = 20_000;

const partner = z.object({
  type: z.literal("user"),
  // Servers of before Bot API 8.3 do not tell; then the payload shows that it is an invoice's.
  transaction_type: z.string().optional(),
  user: z.object({ id: z.int() }),
  invoice_payload: z.string(),
});

const page = z.object({
  transactions: z.array(
    z.object({
      id: z.string(),
      amount: z.int(),
      date: z.int(),
      source: partner.optional().catch(undefined),
      receiver: partner.optional().catch(undefined),
    }),
  ),
});

/**
 * Fetches all payments of invoices, and their refunds. Gifts, withdrawals and the like are left out.
 *
 * @throws {z.ZodError} when Telegram's answer is no such list, and what `ask` rejects with.
 */
export async function fetchTransactions(
  ask: AskForTransactions,
): Promise<readonly ListedTransaction[]> {
  const listed: ListedTransaction[] = [];
  for (let pageIndex = 0; pageIndex < pagesMax; pageIndex++) {
    const answer = await ask({ offset: pageIndex * pageLength, limit: pageLength });
    const { transactions } = page.parse(answer);
    for (const { amount, date, id, receiver, source } of transactions) {
      const { invoice_payload: payload, transaction_type: type, user } = source ?? receiver ?? {};
      if (!user || payload === undefined) continue;
      if (type !== undefined && type !== "invoice_payment") continue;
      const kind = source ? "payment" : "refund";
      const total = Math.abs(amount);
      listed.push({
        ...{ chargeId: id, kind, payload, total, userId: user.id },
        atEpochMs: date * 1_000,
      });
    }
    if (transactions.length < pageLength) break;
  }
  return listed;
}

/** Compares without changing anything. */
export async function compareBooks(
  tables: StarTables,
  listed: readonly ListedTransaction[],
  nowEpochMs: number,
): Promise<readonly Difference[]> {
  return findDifferences(listed, await tables.bookedCharges(), nowEpochMs);
}

/** Something that was missing in the books, and was added to them. */
export interface Settled {
  readonly difference: Difference;
  readonly payment: Payment;
  /** How the payment was credited; absent for a refund. */
  readonly credit?: CreditResult;
}

export interface Settlement {
  readonly settled: readonly Settled[];
  /** The payments that an operator has to look at. */
  readonly open: readonly Difference[];
}

/** Compares, and adds to the books what they lack. */
export async function settleBooks(
  tx: Transaction,
  rules: CreditRules,
  listed: readonly ListedTransaction[],
): Promise<Settlement> {
  const found = await compareBooks(starsOf(tx), listed, tx.nowEpochMs);
  const settled: Settled[] = [];
  // Missing payments come before missing refunds, so that a refund finds its payment.
  for (const { listed: missing, ...difference } of found) {
    if (!missing) continue;
    const { chargeId, kind, payload, total, userId } = missing;
    const payment = { chargeId, userId, currency: starCurrency, total, payload };
    if (kind === "payment") {
      const credit = await creditPayment(tx, rules, payment);
      settled.push({ difference, payment, credit });
    } else {
      await recordRefund(tx, payment);
      settled.push({ difference, payment });
    }
  }
  return { settled, open: found.filter(({ listed: missing }) => !missing) };
}
