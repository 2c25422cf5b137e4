/** Accounts: opens accounts with a welcome balance and reads their statements. */

import type { Transaction } from "../core/transaction.ts";
import { post } from "./ledger.ts";
import { shopOf } from "./sqlite-tables.ts";
import type { LedgerEntry } from "./tables.ts";

/** The part of an account that its owner sees. */
export interface Statement {
  readonly balanceMinor: number;
  /** The last entries, newest first. */
  readonly entries: readonly LedgerEntry[];
}

/**
 * Opens a user's account unless it is open. Grants the welcome balance exactly once per user: only
 * on opening, and the ledger would refuse a second one.
 *
 * @param welcomeBalanceMinor 0 or more; with 0 the user never gets a welcome balance.
 * @returns whether the account was opened by this call.
 */
export async function openAccount(
  tx: Transaction,
  userId: number,
  welcomeBalanceMinor: number,
): Promise<boolean> {
  const opened = await shopOf(tx).insertAccount({ userId, createdAtEpochMs: tx.nowEpochMs });
  if (opened && welcomeBalanceMinor > 0) {
    await post(tx, {
      userId,
      amountMinor: welcomeBalanceMinor,
      kind: "welcome",
      reference: `user:${userId}`,
    });
  }
  return opened;
}

/** Returns the balance and the last `entriesMax` entries. */
export async function statement(
  tx: Transaction,
  userId: number,
  entriesMax: number,
): Promise<Statement> {
  const balanceMinor = await shopOf(tx).balanceMinor(userId);
  return { balanceMinor, entries: await shopOf(tx).ledgerEntries(userId, entriesMax) };
}
