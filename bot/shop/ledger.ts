/**
 * Ledger: moves money; nothing else may.
 *
 * Whatever a caller decides, no entry is written that would make a balance negative or an unsafe
 * integer. Requesting one is a defect and rolls the transaction back.
 */

import assert from "node:assert/strict";
import type { Transaction } from "../core/transaction.ts";
import { shopOf } from "./sqlite-tables.ts";
import type { LedgerKind } from "./tables.ts";

export interface Posting {
  readonly userId: number;
  /** Positive when money enters the account, negative when it leaves; never 0. */
  readonly amountMinor: number;
  readonly kind: LedgerKind;
  /** Names the cause; a second posting of the same kind and reference is refused. */
  readonly reference: string;
}

/**
 * Writes one ledger entry.
 *
 * Holds the account until the transaction ends, so the balance read here still holds at the commit.
 *
 * @returns the new balance, or `undefined` when this cause was posted before.
 */
export async function post(tx: Transaction, posting: Posting): Promise<number | undefined> {
  await lockAccount(tx, posting.userId);
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

/** Lets no other transaction move this account's money until this one ends. Comes before its balance is read. */
export function lockAccount(tx: Transaction, userId: number): Promise<void> {
  return tx.lock(`account:${userId}`);
}
