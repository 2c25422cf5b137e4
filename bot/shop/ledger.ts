/**
 * Ledger: the one way money moves.
 *
 * Whatever the callers decided, no entry that would make a balance negative or an unsafe integer
 * is ever written; asking for one is a defect and rolls the transaction back.
 */

import assert from "node:assert/strict";
import type { Transaction } from "../core/transaction.ts";
import { shopOf } from "./sqlite-tables.ts";
import type { LedgerKind } from "./tables.ts";

export interface Posting {
  readonly userId: number;
  /** Positive into the account, negative out of it; never 0. */
  readonly amountMinor: number;
  readonly kind: LedgerKind;
  /** What it belongs to; a second posting of the same kind and reference is refused. */
  readonly reference: string;
}

/**
 * Writes one ledger entry.
 *
 * Relies on transactions running as if one after another: the balance read here is still true at
 * the commit.
 *
 * @returns the balance after it, or `undefined` when this cause was posted before.
 */
export async function post(tx: Transaction, posting: Posting): Promise<number | undefined> {
  const before = await shopOf(tx).balanceMinor(posting.userId);
  const after = before + posting.amountMinor;
  assert(Number.isSafeInteger(posting.amountMinor) && posting.amountMinor !== 0, "odd amount");
  assert(Number.isSafeInteger(after) && after >= 0, "a balance must stay within 0 and 2 ** 53");
  const written = await shopOf(tx).appendLedgerEntry({
    ...posting,
    createdAtEpochMs: tx.nowEpochMs,
  });
  return written ? after : undefined;
}
