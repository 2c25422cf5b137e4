/**
 * Standing: what the shop knows about a person before it answers: the language they chose, and whether an
 * administrator has blocked them.
 *
 * It is a document of its own, so it needs no account. /forget deletes the choice of a language and leaves
 * the block.
 */
import type { Transaction } from "../../core/transaction.ts";
import type { Language } from "../catalogue.ts";
import { shopOf } from "../sqlite-tables.ts";

export interface Standing {
  /** The language that the person chose by /language; it goes before what Telegram says. */
  readonly language?: Language | undefined;
  readonly blocked?: boolean | undefined;
}

const collection = "shop:standing";

export async function standingOf({ documents }: Transaction, userId: number): Promise<Standing> {
  return (await documents.get<Standing>(collection, String(userId))) ?? {};
}

/** Chooses a language; `undefined` returns to the one that Telegram reports. */
export async function chooseLanguage(
  tx: Transaction,
  userId: number,
  language: Language | undefined,
): Promise<void> {
  await lock(tx, userId);
  await keep(tx, userId, { ...(await standingOf(tx, userId)), language });
}

/** @returns false when nothing changed. */
export async function setBlocked(
  tx: Transaction,
  userId: number,
  blocked: boolean,
): Promise<boolean> {
  await lock(tx, userId);
  const standing = await standingOf(tx, userId);
  if ((standing.blocked === true) === blocked) return false;
  await keep(tx, userId, { ...standing, blocked });
  return true;
}

/** Returns the chosen language, or else the tag that Telegram reported last. */
export async function languageTagOf(tx: Transaction, userId: number): Promise<string | undefined> {
  const { language } = await standingOf(tx, userId);
  return language ?? (await shopOf(tx).findProfile(userId))?.languageCode;
}

/** A change of the one half must not undo one of the other. */
function lock(tx: Transaction, userId: number): Promise<void> {
  return tx.lock(`standing:${userId}`);
}

async function keep({ documents }: Transaction, userId: number, standing: Standing) {
  const { blocked, language } = standing;
  if (!blocked && language === undefined) {
    await documents.delete(collection, String(userId));
    return;
  }
  const kept = { ...(blocked && { blocked }), ...(language !== undefined && { language }) };
  await documents.put(collection, String(userId), kept);
}
