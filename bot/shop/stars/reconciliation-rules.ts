/**
 * Reconciliation rules: how the shop's books differ from Telegram's list of Star transactions.
 *
 * Telegram's list is the truth about payments, because the money is there. What is younger than
 * `settlingMs` may still be on its way through the queue, and is no difference yet.
 */

/** A payment or its refund, as `getStarTransactions` lists it. */
export interface ListedTransaction {
  /** The charge id; a refund has that of its payment. */
  readonly chargeId: string;
  readonly kind: "payment" | "refund";
  readonly userId: number;
  /** Whole Stars, positive. */
  readonly total: number;
  readonly payload: string;
  readonly atEpochMs: number;
}

/** A payment in the books (stars/star-tables.ts). */
export interface BookedPayment {
  readonly chargeId: string;
  readonly userId: number;
  readonly currency: string;
  readonly total: number;
  readonly creditedMinor: number;
  readonly debitedMinor: number;
  /** Sum of its ledger entries. */
  readonly ledgerMinor: number;
  readonly recordedAtEpochMs: number;
  readonly refundAskedAtEpochMs: number | undefined;
  readonly refundedAtEpochMs: number | undefined;
}

export type DifferenceKind =
  /** Telegram has a payment that the books lack. */
  | "payment-missing"
  /** Telegram has a refund that the books lack. */
  | "refund-missing"
  /** The books have a payment that Telegram does not list. */
  | "payment-not-listed"
  /** The books have a refund that Telegram does not list. */
  | "refund-not-listed"
  /** An administrator asked for a refund, and Telegram has not made it. */
  | "refund-not-made"
  /** Payer or Stars are not the same. */
  | "payment-differs"
  /** The charge and its ledger entries do not agree. */
  | "ledger-differs";

export interface Difference {
  readonly kind: DifferenceKind;
  readonly chargeId: string;
  /** Whole Stars. */
  readonly total: number;
  /** As Telegram lists it, where it does. */
  readonly listed?: ListedTransaction;
}

/** Milliseconds for which a payment or refund may be on its way through the queue. */
export const settlingMs = 15 * 60_000;

/** Compares the books with Telegram's whole list; the order of both does not matter. */
export function findDifferences(
  listed: readonly ListedTransaction[],
  booked: readonly BookedPayment[],
  nowEpochMs: number,
): readonly Difference[] {
  const books = new Map(booked.map((payment) => [payment.chargeId, payment]));
  const payments = byCharge(listed, "payment");
  const refunds = byCharge(listed, "refund");
  const settled = (epochMs: number) => nowEpochMs - epochMs >= settlingMs;
  const missing = [...payments.values(), ...refunds.values()].flatMap((transaction) => {
    const { atEpochMs, chargeId, kind, total } = transaction;
    const book = books.get(chargeId);
    const known = kind === "payment" ? book : book?.refundedAtEpochMs !== undefined;
    if (known || !settled(atEpochMs)) return [];
    return [{ kind: `${kind}-missing` as const, chargeId, total, listed: transaction }];
  });
  const others = booked.flatMap((book) => {
    const { chargeId, total } = book;
    const kind = judgeBooked(book, payments.get(chargeId), refunds.get(chargeId), settled);
    return kind ? [{ kind, chargeId, total }] : [];
  });
  return [...missing, ...others];
}

function judgeBooked(
  book: BookedPayment,
  payment: ListedTransaction | undefined,
  refund: ListedTransaction | undefined,
  settled: (epochMs: number) => boolean,
): DifferenceKind | undefined {
  if (book.ledgerMinor !== book.creditedMinor - book.debitedMinor) return "ledger-differs";
  // Only Stars are in Telegram's list.
  if (book.currency !== "XTR") return undefined;
  if (payment && (payment.total !== book.total || payment.userId !== book.userId)) {
    return "payment-differs";
  }
  if (!payment) return settled(book.recordedAtEpochMs) ? "payment-not-listed" : undefined;
  if (refund) return undefined;
  const { refundAskedAtEpochMs: asked, refundedAtEpochMs: refunded } = book;
  if (refunded !== undefined) return settled(refunded) ? "refund-not-listed" : undefined;
  return asked !== undefined && settled(asked) ? "refund-not-made" : undefined;
}

function byCharge(listed: readonly ListedTransaction[], kind: ListedTransaction["kind"]) {
  const chosen = listed.filter((transaction) => transaction.kind === kind);
  return new Map(chosen.map((transaction) => [transaction.chargeId, transaction]));
}
