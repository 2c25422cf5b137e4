/** Accounts: opening one, with its welcome balance, and looking into it. */

import type { Transaction } from "../core/transaction.ts";
import { post } from "./ledger.ts";
import { shopOf } from "./sqlite-tables.ts";
import type { LedgerEntry } from "./tables.ts";

/** What an account's owner sees of it. */
export interface Statement {
  readonly balanceMinor: number;
  /** Newest first. */
  readonly entries: readonly LedgerEntry[];
}

/**
 * Opens a user's account unless it is open, and gives the welcome balance exactly once per user:
 * only when it is opened, and the ledger would refuse a second one.
 *
 * @param welcomeBalanceMinor 0 or more; 0 gives nothing, also later.
 * @returns whether it was opened now.
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

/** The balance and the last `entriesMax` entries. */
export async function statement(
  tx: Transaction,
  userId: number,
  entriesMax: number,
): Promise<Statement> {
  const balanceMinor = await shopOf(tx).balanceMinor(userId);
  return { balanceMinor, entries: await shopOf(tx).ledgerEntries(userId, entriesMax) };
}
