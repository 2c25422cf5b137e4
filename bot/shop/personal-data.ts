/**
 * Personal data: what is kept of a person beside their account, how they get it and get rid of it.
 *
 * Ids, orders and entries stay when it is deleted: they are the books, and the account's owner goes on
 * using it (docs/decisions/0012).
 */

import type { Transaction } from "../core/transaction.ts";
import { shopOf } from "./sqlite-tables.ts";
import type { Account, LedgerEntry, Order, Profile } from "./tables.ts";

/** Everything that is stored about a person. */
export interface PersonalData {
  readonly account: Account | undefined;
  readonly profile: Profile | undefined;
  readonly balanceMinor: number;
  /** Newest first. */
  readonly orders: readonly Order[];
  /** Newest first. */
  readonly entries: readonly LedgerEntry[];
  /** Whether there are more orders or entries than these. */
  readonly cut: boolean;
}

/** What was deleted. */
export interface Forgotten {
  readonly notes: number;
  readonly deadLetters: number;
}

/** Most recent ones in an export: with notes of full length it stays below what one call may carry. */
export const exportedMax = { orders: 500, entries: 1_000 };

/**
 * Keeps the profile, unless it is kept as it is. A name that cannot be read does not replace one that can.
 *
 * @returns what is kept now.
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

/** The same for a profile that is kept already: who was forgotten stays so. */
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

/** Deletes profile and notes, and the dead letters of the person's private chat. */
export async function forget(tx: Transaction, userId: number): Promise<Forgotten> {
  await shopOf(tx).setProfile(userId, undefined);
  const notes = await shopOf(tx).deleteOrderNotes(userId);
  // A private chat has the id of its person.
  return { notes, deadLetters: await tx.deleteDeadLetters(userId) };
}
