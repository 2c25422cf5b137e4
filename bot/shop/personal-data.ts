/**
 * Personal data: what is kept of a person beside their account, how they get it and get rid of it.
 *
 * Ids, orders and entries stay when it is deleted: they are the books, and the account's owner goes on
 * using it (docs/decisions/0012).
 */
import type {
  Account,
  DomainTransaction,
  LedgerEntry,
  Order,
  Profile,
} from "../core/shop-tables.ts";

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
  tx: DomainTransaction,
  userId: number,
  profile: Profile,
): Promise<Profile> {
  const kept = await tx.shop.findProfile(userId);
  const next = { ...profile, firstName: profile.firstName || (kept?.firstName ?? "") };
  if (!kept || !isSame(kept, next)) await tx.shop.setProfile(userId, next);
  return next;
}

/** The same for a profile that is kept already: who was forgotten stays so. */
export async function refreshProfile(
  tx: DomainTransaction,
  userId: number,
  profile: Profile,
): Promise<void> {
  if (await tx.shop.findProfile(userId)) await keepProfile(tx, userId, profile);
}

function isSame(a: Profile, b: Profile): boolean {
  return (
    a.firstName === b.firstName && a.username === b.username && a.languageCode === b.languageCode
  );
}

export async function personalData(tx: DomainTransaction, userId: number): Promise<PersonalData> {
  const { items: orders, total } = await tx.shop.orders(userId, 0, exportedMax.orders);
  const entries = await tx.shop.ledgerEntries(userId, exportedMax.entries + 1);
  return {
    account: await tx.shop.findAccount(userId),
    profile: await tx.shop.findProfile(userId),
    balanceMinor: await tx.shop.balanceMinor(userId),
    orders,
    entries: entries.slice(0, exportedMax.entries),
    cut: total > orders.length || entries.length > exportedMax.entries,
  };
}

/**
 * Deletes profile and notes, and what the person said that was given up.
 *
 * @param lane Where what the person says is queued.
 */
export async function forget(
  tx: DomainTransaction,
  userId: number,
  lane: string,
): Promise<Forgotten> {
  await tx.shop.setProfile(userId, undefined);
  const notes = await tx.shop.deleteOrderNotes(userId);
  return { notes, deadLetters: await tx.deleteDeadLetters(lane) };
}
