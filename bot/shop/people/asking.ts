/**
 * Asking: a question of the shop that a person answers with their next text.
 *
 * It is kept on disk for an hour. Whoever takes the answer does so in the transaction that acts on it, so
 * that one text answers one question, once.
 */
import type { Transaction } from "../../core/transaction.ts";

export interface Asked {
  /** Which answer is expected, such as `credit`. */
  readonly what: string;
  /** The subject: an order, a person, a product. */
  readonly of: string;
}

const collection = "shop:asked";
const keptMs = 3_600_000;

/** Asks in the place of any earlier question. */
export async function ask({ documents }: Transaction, userId: number, asked: Asked): Promise<void> {
  await documents.put(collection, String(userId), asked, { keepMs: keptMs });
}

/**
 * Takes the question back, if it is one of these.
 *
 * @returns it; `undefined` when none of them was asked.
 */
export async function takeAsked<What extends string>(
  { documents }: Transaction,
  userId: number,
  whats: readonly What[],
): Promise<(Asked & { readonly what: What }) | undefined> {
  const asked = await documents.get<Asked>(collection, String(userId));
  const what = whats.find((one) => one === asked?.what);
  if (!asked || what === undefined) return undefined;
  await documents.delete(collection, String(userId));
  return { ...asked, what };
}

/** Expects no answer any more. */
export async function forgetAsked({ documents }: Transaction, userId: number): Promise<void> {
  await documents.delete(collection, String(userId));
}
