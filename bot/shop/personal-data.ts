/**
 * Personal data: keeps, exports and deletes what is stored about a person beside their account.
 *
 * Ids, orders and entries survive a deletion, because they are the books and the owner may go on
 * using the account (docs/decisions/0012).
 */

import type { Transaction } from "../core/transaction.ts";
import { deleteSessions } from "../kit/session.ts";
import { shopOf } from "./sqlite-tables.ts";
import type { Account, LedgerEntry, Order, Profile } from "./tables.ts";

/** Everything that is stored about a person. */
export interface PersonalData {
  readonly account: Account | undefined;
  readonly profile: Profile | undefined;
  readonly balanceMinor: number;
  /** The orders, newest first. */
  readonly orders: readonly Order[];
  /** The ledger entries, newest first. */
  readonly entries: readonly LedgerEntry[];
  /** Whether more orders or entries exist than these. */
  readonly cut: boolean;
}

/** The numbers of deleted notes and dead letters. */
export interface Forgotten {
  readonly notes: number;
  readonly deadLetters: number;
}

/**
 * Maximum of latest records in an export, which fits into one call even with notes of full length.
 */
export const exportedMax = { orders: 500, entries: 1_000 };

/**
 * Stores the profile unless it is unchanged. An unreadable name does not replace a readable one.
 *
 * @returns the profile that is stored now.
 */
export async function keepProfile(
  tx: Transaction,
  userId: number,
  profile: Profile,
): Promise<Profile> {
  const kept = await shopOf(tx).findProfile(userId);
  const next = { ...profile, firstName: profile.firstName || (kept?.firstName ?? "") };
  if (!kept || !isSame(kept, next)) await shopOf(tx).setProfile(userId, next);
  return next;
}

/** Updates a stored profile only: a person who was forgotten stays forgotten. */
export async function refreshProfile(
  tx: Transaction,
  userId: number,
  profile: Profile,
): Promise<void> {
  if (await shopOf(tx).findProfile(userId)) await keepProfile(tx, userId, profile);
}

function isSame(a: Profile, b: Profile): boolean {
  return (
    a.firstName === b.firstName && a.username === b.username && a.languageCode === b.languageCode
  );
}

export async function personalData(tx: Transaction, userId: number): Promise<PersonalData> {
  const { items: orders, total } = await shopOf(tx).orders(userId, 0, exportedMax.orders);
  const entries = await shopOf(tx).ledgerEntries(userId, exportedMax.entries + 1);
  return {
    account: await shopOf(tx).findAccount(userId),
    profile: await shopOf(tx).findProfile(userId),
    balanceMinor: await shopOf(tx).balanceMinor(userId),
    orders,
    entries: entries.slice(0, exportedMax.entries),
    cut: total > orders.length || entries.length > exportedMax.entries,
  };
}

/** Deletes profile, notes and sessions, and the dead letters of the person's private chat. */
export async function forget(tx: Transaction, userId: number): Promise<Forgotten> {
  await shopOf(tx).setProfile(userId, undefined);
  const notes = await shopOf(tx).deleteOrderNotes(userId);
  await deleteSessions(tx, userId);
  // A private chat has the id of its user.
  return { notes, deadLetters: await tx.deleteDeadLetters(userId) };
}
