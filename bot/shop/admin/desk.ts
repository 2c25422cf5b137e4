/**
 * Desk: what an administrator does to orders and people, inside a transaction.
 *
 * Each function writes its act beside what it changes. A refusal is a result, not an error, because the
 * durable step must remember that answer like any other.
 */
import type { Transaction } from "../../core/transaction.ts";
import { lockAccount, post } from "../ledger.ts";
import { refund } from "../orders.ts";
import { languageTagOf, setBlocked } from "../people/standing.ts";
import { shopOf } from "../sqlite-tables.ts";
import type { Order } from "../tables.ts";
import { type ActKind, noteAct } from "./acts.ts";

/** A person who is told about an act. */
export interface Told {
  readonly userId: number;
  /** Their language, as far as it is known. */
  readonly languageTag: string | null;
}

export type OrderAct =
  | { readonly kind: "done" | "told"; readonly order: Order; readonly buyer: Told }
  | {
      readonly kind: "refused";
      readonly order: Order;
      readonly buyer: Told;
      readonly balanceMinor: number;
    }
  /** There is no such order, or it is no longer to fulfil. */
  | { readonly kind: "not-open" };

/** Marks a paid order as handed over. */
export async function completeOrder(
  tx: Transaction,
  adminId: number,
  orderId: number,
): Promise<OrderAct> {
  const order = await shopOf(tx).findOrder(orderId);
  if (!order || !(await shopOf(tx).completeOrder(orderId))) return { kind: "not-open" };
  await noteOrderAct(tx, adminId, "order-done", order);
  const buyer = await told(tx, order.userId);
  return { kind: "done", order: { ...order, status: "done" }, buyer };
}

/** Refuses a paid order: refunds it, whatever its window for cancelling says. */
export async function refuseOrder(
  tx: Transaction,
  adminId: number,
  orderId: number,
  reason: string,
): Promise<OrderAct> {
  const found = await shopOf(tx).findOrder(orderId);
  if (!found) return { kind: "not-open" };
  await lockAccount(tx, found.userId);
  const order = await shopOf(tx).findOrder(orderId);
  if (order?.status !== "paid") return { kind: "not-open" };
  const balanceMinor = await refund(tx, order);
  await noteOrderAct(tx, adminId, "order-refused", order, reason);
  const buyer = await told(tx, order.userId);
  const now = { ...order, status: "cancelled", cancelledAtEpochMs: tx.nowEpochMs } as const;
  return { kind: "refused", order: now, buyer, balanceMinor };
}

/** Writes to the buyer of an order, in whatever state it is. */
export async function tellBuyer(
  tx: Transaction,
  adminId: number,
  orderId: number,
  words: string,
): Promise<OrderAct> {
  const order = await shopOf(tx).findOrder(orderId);
  if (!order) return { kind: "not-open" };
  await noteOrderAct(tx, adminId, "tell-buyer", order, words);
  return { kind: "told", order, buyer: await told(tx, order.userId) };
}

export type Booking =
  | { readonly kind: "booked"; readonly person: Told; readonly balanceMinor: number }
  | { readonly kind: "insufficient"; readonly balanceMinor: number }
  | { readonly kind: "no-account" };

/** The highest balance that a credit may lead to, far below the unsafe integers. */
const balanceMinorMax = 10 ** 15;

/**
 * Credits or debits an account; never below zero.
 *
 * @param amountMinor Positive to credit, negative to debit; never 0.
 */
export async function book(
  tx: Transaction,
  adminId: number,
  userId: number,
  amountMinor: number,
  reason: string,
): Promise<Booking> {
  if (!(await shopOf(tx).findAccount(userId))) return { kind: "no-account" };
  await lockAccount(tx, userId);
  const balanceMinor = await shopOf(tx).balanceMinor(userId);
  const after = balanceMinor + amountMinor;
  if (after < 0 || after > balanceMinorMax) return { kind: "insufficient", balanceMinor };
  const kind = amountMinor > 0 ? "credit" : "debit";
  const act = await noteAct(tx, { adminId, kind, userId, reason });
  await post(tx, { userId, amountMinor, kind, reference: `act:${act}` });
  return { kind: "booked", person: await told(tx, userId), balanceMinor: after };
}

/** Blocks or unblocks a person. @returns `undefined` when nothing changed. */
export async function setBlockedBy(
  tx: Transaction,
  adminId: number,
  userId: number,
  blocked: boolean,
  reason?: string,
): Promise<Told | undefined> {
  if (!(await setBlocked(tx, userId, blocked))) return undefined;
  const kind = blocked ? "block" : "unblock";
  await noteAct(tx, { adminId, kind, userId, ...(reason !== undefined && { reason }) });
  return told(tx, userId);
}

/** Returns the accounts that a text names: an id, or a username with or without its @. */
export async function findPeople(tx: Transaction, text: string): Promise<readonly number[]> {
  const name = text.trim().replace(/^@/, "");
  if (/^\d{1,15}$/.test(name)) {
    return (await shopOf(tx).findAccount(Number(name))) ? [Number(name)] : [];
  }
  return /^\w{1,64}$/.test(name) ? shopOf(tx).findByUsername(name) : [];
}

async function told(tx: Transaction, userId: number): Promise<Told> {
  return { userId, languageTag: (await languageTagOf(tx, userId)) ?? null };
}

async function noteOrderAct(
  tx: Transaction,
  adminId: number,
  kind: ActKind,
  { id, userId }: Order,
  reason?: string,
): Promise<void> {
  const subject = `order:${id}`;
  await noteAct(tx, { adminId, kind, userId, subject, ...(reason !== undefined && { reason }) });
}
