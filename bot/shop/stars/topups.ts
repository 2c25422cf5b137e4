/**
 * Top-ups: credit payments in Telegram Stars and take refunds back, once per charge.
 *
 * A payment that was made is never turned away: what its invoice promised is credited, or the present
 * value of the Stars when that cannot be read. No balance becomes negative: a refund
 * that an administrator asks for is refused when the money is spent, and of one that comes from elsewhere
 * only what is left is debited; the rest is reported.
 */

import assert from "node:assert/strict";
import type { Transaction } from "../../core/transaction.ts";
import { openAccount } from "../accounts.ts";
import { lockAccount, post } from "../ledger.ts";
import { shopOf } from "../sqlite-tables.ts";
import { type Charge, chargeReference, starsOf } from "./star-tables.ts";
import { type Checkout, type TopupRules, worthOf } from "./topup-rules.ts";

/** A payment, or its refund, as Telegram reports it. */
export interface Payment extends Checkout {
  readonly chargeId: string;
  /** The person who paid. */
  readonly userId: number;
}

/** The rules of top-ups, and of the accounts that they open. */
export interface CreditRules extends TopupRules {
  /** Welcome balance of a new account in minor units; 0 or more. */
  readonly welcomeBalanceMinor: number;
}

export type CreditResult =
  | {
      readonly kind: "credited";
      readonly creditedMinor: number;
      readonly balanceMinor: number;
      /** Whether the account was opened for it. */
      readonly opened: boolean;
    }
  /** It was credited or kept before. */
  | { readonly kind: "known" }
  /** It is worth nothing here (another currency), so it is only kept. */
  | { readonly kind: "kept" };

/** Credits a payment to whoever paid, or keeps it; once per charge id. */
export async function creditPayment(
  tx: Transaction,
  rules: CreditRules,
  payment: Payment,
): Promise<CreditResult> {
  const { userId } = payment;
  const creditedMinor = worthOf(payment, rules);
  await lockAccount(tx, userId);
  const recordedAtEpochMs = tx.nowEpochMs;
  const isNew = await starsOf(tx).insertCharge({ ...payment, creditedMinor, recordedAtEpochMs });
  if (!isNew) return { kind: "known" };
  if (creditedMinor === 0) return { kind: "kept" };
  const opened = await openAccount(tx, userId, rules.welcomeBalanceMinor);
  const balanceMinor = await post(tx, {
    userId,
    amountMinor: creditedMinor,
    kind: "topup",
    reference: chargeReference(payment.chargeId),
  });
  assert(balanceMinor !== undefined, "a new charge cannot have been credited before");
  return { kind: "credited", creditedMinor, balanceMinor, opened };
}

export type AskRefundResult =
  | {
      readonly kind: "asked";
      readonly userId: number;
      /** Whole Stars. */
      readonly total: number;
      readonly debitedMinor: number;
      readonly balanceMinor: number;
      /** Whether it was asked for before; then nothing was debited now. */
      readonly again: boolean;
    }
  /** The account no longer holds what the payment brought; nothing was changed. */
  | { readonly kind: "spent"; readonly creditedMinor: number; readonly balanceMinor: number }
  | { readonly kind: "refunded-before" }
  /** There is no such charge. */
  | { readonly kind: "unknown" };

/**
 * Takes a payment's money out of the account, so that Telegram can be asked to give the Stars back.
 *
 * The caller records `refundStarPayment` in the same step for the kind `asked`, also when it was asked for
 * before: Telegram refunds a charge once, and the first request may have been given up.
 *
 * @param askedBy The administrator.
 */
export async function askRefund(
  tx: Transaction,
  chargeId: string,
  askedBy: number,
): Promise<AskRefundResult> {
  const found = await starsOf(tx).findCharge(chargeId);
  if (!found) return { kind: "unknown" };
  await lockAccount(tx, found.userId);
  const charge = (await starsOf(tx).findCharge(chargeId)) ?? found;
  if (charge.refundedAtEpochMs !== undefined) return { kind: "refunded-before" };
  const { creditedMinor, total, userId } = charge;
  const balanceMinor = await shopOf(tx).balanceMinor(userId);
  if (charge.refundAskedAtEpochMs !== undefined) {
    const { debitedMinor } = charge;
    return { kind: "asked", userId, total, debitedMinor, balanceMinor, again: true };
  }
  if (balanceMinor < creditedMinor) return { kind: "spent", creditedMinor, balanceMinor };
  await debit(tx, charge, creditedMinor);
  await starsOf(tx).setRefundAsked(chargeId, tx.nowEpochMs, askedBy, creditedMinor);
  return {
    ...{ kind: "asked", userId, total, debitedMinor: creditedMinor, again: false },
    balanceMinor: balanceMinor - creditedMinor,
  };
}

export type RefundResult =
  | {
      readonly kind: "refunded";
      /** The person who had paid. */
      readonly userId: number;
      /** Whether an administrator asked for it here; then it was debited at that time. */
      readonly asked: boolean;
      readonly debitedMinor: number;
      /** The part that the person had spent already, and the shop has lost. */
      readonly shortMinor: number;
    }
  /** It was recorded before. */
  | { readonly kind: "known" };

/** Records that Telegram has refunded a charge; once, whoever asked for it. */
export async function recordRefund(tx: Transaction, payment: Payment): Promise<RefundResult> {
  const { chargeId } = payment;
  await lockAccount(tx, payment.userId);
  const recordedAtEpochMs = tx.nowEpochMs;
  // A refund of a payment that never came leaves a charge that can no longer be credited.
  await starsOf(tx).insertCharge({ ...payment, creditedMinor: 0, recordedAtEpochMs });
  const charge = await starsOf(tx).findCharge(chargeId);
  assert(charge, "the charge was written just now");
  if (charge.refundedAtEpochMs !== undefined) return { kind: "known" };
  const { creditedMinor, refundAskedAtEpochMs, userId } = charge;
  const asked = refundAskedAtEpochMs !== undefined;
  const balanceMinor = await shopOf(tx).balanceMinor(userId);
  const debitedMinor = asked ? charge.debitedMinor : Math.min(creditedMinor, balanceMinor);
  if (!asked) await debit(tx, charge, debitedMinor);
  await starsOf(tx).setRefunded(chargeId, tx.nowEpochMs, debitedMinor);
  const shortMinor = creditedMinor - debitedMinor;
  return { kind: "refunded", userId, asked, debitedMinor, shortMinor };
}

async function debit(
  tx: Transaction,
  { chargeId, userId }: Charge,
  amountMinor: number,
): Promise<void> {
  if (amountMinor === 0) return;
  const after = await post(tx, {
    userId,
    amountMinor: -amountMinor,
    kind: "topup-refund",
    reference: chargeReference(chargeId),
  });
  assert(after !== undefined, "a charge that is not refunded cannot have been debited before");
}
