/**
 * Personal data: keeps, exports and deletes what is stored about a person beside their account.
 *
 * Ids, orders and entries survive a deletion, because they are the books and the owner may go on
 * using the account (docs/decisions/0012).
 */

import type { Transaction } from "../core/transaction.ts";
import { deleteSessions } from "../kit/session.ts";
import type { Language } from "./catalogue.ts";
import { forgetAsked } from "./people/asking.ts";
import { chooseLanguage, standingOf } from "./people/standing.ts";
import { shopOf } from "./sqlite-tables.ts";
import { type TicketWords, ticketsOf } from "./support/ticket-tables.ts";
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
  /** The language that the person has chosen. */
  readonly language: Language | undefined;
  /** The texts of tickets, newest first. */
  readonly words: readonly TicketWords[];
  /** Whether more orders, entries or words exist than these. */
  readonly cut: boolean;
}

/** The numbers of deleted notes, with what was said in tickets, and dead letters. */
export interface Forgotten {
  readonly notes: number;
  readonly deadLetters: number;
}

/**
 * Maximum of latest records in an export, which fits into one call even with notes of full length.
 */
export const exportedMax = { orders: 500, entries: 1_000, words: 200, wordsLength: 30_000 };

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
  const said = await ticketsOf(tx).wordsWith(userId, exportedMax.words + 1);
  const words = latest(said);
  return {
    account: await shopOf(tx).findAccount(userId),
    profile: await shopOf(tx).findProfile(userId),
    balanceMinor: await shopOf(tx).balanceMinor(userId),
    orders,
    entries: entries.slice(0, exportedMax.entries),
    language: (await standingOf(tx, userId)).language,
    words,
    cut:
      total > orders.length || entries.length > exportedMax.entries || words.length < said.length,
  };
}

/** As many of the latest words as fit into an export. */
function latest(said: readonly TicketWords[]): readonly TicketWords[] {
  let length = 0;
  const fits = ({ words }: TicketWords) => {
    length += words.length;
    return length <= exportedMax.wordsLength;
  };
  const end = said.findIndex((one) => !fits(one));
  return said.slice(0, Math.min(exportedMax.words, end === -1 ? said.length : end));
}

/**
 * Deletes profile, chosen language, notes, what was said in tickets, and sessions, and the dead letters of
 * the person's private chat.
 */
export async function forget(tx: Transaction, userId: number): Promise<Forgotten> {
  await shopOf(tx).setProfile(userId, undefined);
  await chooseLanguage(tx, userId, undefined);
  await forgetAsked(tx, userId);
  const said = await ticketsOf(tx).deleteWordsWith(userId);
  const notes = said + (await shopOf(tx).deleteOrderNotes(userId));
  await deleteSessions(tx, userId);
  // A private chat has the id of its user.
  return { notes, deadLetters: await tx.deleteDeadLetters(userId) };
}
