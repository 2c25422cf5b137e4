/**
 * Orders: buys, cancels and finds orders.
 *
 * An order and its debit, and a cancellation and its refund, are written in the caller's
 * transaction: both or neither. A refused request is a result, not an error, because the durable
 * step must remember that answer like any other.
 */

import assert from "node:assert/strict";
import type { Transaction } from "../core/transaction.ts";
import type { Catalogue } from "./catalogue.ts";
import { lockAccount, post } from "./ledger.ts";
import { standingOf } from "./people/standing.ts";
import { shopOf } from "./sqlite-tables.ts";
import { findOffer, isQuoted, keepQuote, takeFor } from "./stock/offers.ts";
import { lockStock, stockOf } from "./stock/stock-tables.ts";
import type { Order } from "./tables.ts";

/** The rules of the shop. */
export interface ShopRules {
  readonly catalogue: Catalogue;
  /** Milliseconds after the purchase during which an order can be cancelled. */
  readonly cancelWindowMs: number;
}

/** A purchase that a user has confirmed. */
export interface Wish {
  readonly userId: number;
  readonly sku: string;
  /** The price that the user saw; at any other price nothing is bought. */
  readonly priceMinor: number;
  /** Identifies the wish among this user's wishes: the same key never buys twice. */
  readonly idempotencyKey: string;
}

/** An order as its owner sees it. */
export interface OrderDetail {
  readonly order: Order;
  /** Until when the order can be cancelled; null when it no longer can. */
  readonly cancellableUntilEpochMs: number | null;
  /** The code that the buyer of digital goods was given. */
  readonly code?: string;
}

export type BuyResult =
  | { readonly kind: "bought"; readonly detail: OrderDetail; readonly balanceMinor: number }
  /** This wish was fulfilled before; its order may have been cancelled since. */
  | { readonly kind: "already-bought"; readonly detail: OrderDetail }
  | {
      readonly kind: "insufficient-balance";
      readonly priceMinor: number;
      readonly balanceMinor: number;
    }
  | { readonly kind: "price-changed"; readonly priceMinor: number }
  | { readonly kind: "unknown-product" }
  | { readonly kind: "sold-out" }
  /** An administrator has blocked this person. */
  | { readonly kind: "blocked" };

export type CancelResult =
  | { readonly kind: "cancelled"; readonly detail: OrderDetail; readonly balanceMinor: number }
  | { readonly kind: "already-cancelled"; readonly detail: OrderDetail }
  | { readonly kind: "too-late"; readonly detail: OrderDetail }
  /** There is no such order or it is another user's; the answer does not tell which. */
  | { readonly kind: "not-found" };

/** One page of a user's orders, newest first. */
export interface OrdersPage {
  readonly orders: readonly Order[];
  /** Starts at 0; the last page if a later one was requested. */
  readonly pageIndex: number;
  /** Number of pages, at least 1. */
  readonly pages: number;
  readonly total: number;
}

/** Buys one product, with one order and one debit per wish, never on credit. */
export async function buy(tx: Transaction, rules: ShopRules, wish: Wish): Promise<BuyResult> {
  const { userId, sku, idempotencyKey } = wish;
  await lockAccount(tx, userId);
  const fulfilled = await orderOfWish(tx, rules, userId, idempotencyKey);
  if (fulfilled) {
    return { kind: "already-bought", detail: fulfilled };
  }
  if ((await standingOf(tx, userId)).blocked) {
    return { kind: "blocked" };
  }
  await lockStock(tx, sku);
  const offer = await findOffer(tx, rules.catalogue, sku);
  if (!offer || offer.product.hidden) {
    return { kind: "unknown-product" };
  }
  const { priceMinor } = wish;
  const key = scopedKey(userId, idempotencyKey);
  if (priceMinor !== offer.product.priceMinor && !(await isQuoted(tx, { key, sku, priceMinor }))) {
    return { kind: "price-changed", priceMinor: offer.product.priceMinor };
  }
  if (offer.left === 0) {
    return { kind: "sold-out" };
  }
  const balanceMinor = await shopOf(tx).balanceMinor(userId);
  if (balanceMinor < priceMinor) {
    return { kind: "insufficient-balance", priceMinor, balanceMinor };
  }
  const order = await shopOf(tx).insertOrder({
    userId,
    sku,
    priceMinor,
    idempotencyKey: key,
    createdAtEpochMs: tx.nowEpochMs,
  });
  const after = await post(tx, {
    userId,
    amountMinor: -priceMinor,
    kind: "purchase",
    reference: reference(order),
  });
  assert(after !== undefined, "a new order cannot have been paid before");
  const code = await takeFor(tx, offer, order.id);
  // A code that was given cannot be given back.
  if (code !== undefined) await shopOf(tx).completeOrder(order.id);
  const placed = code === undefined ? order : ({ ...order, status: "done" } as const);
  const detail = await detailOf(tx, rules, placed);
  return { kind: "bought", detail, balanceMinor: after };
}

/**
 * Asks a person to confirm a purchase: keeps the price that they see under the key of the wish.
 *
 * @returns `undefined` when the product is not sold.
 */
export async function quote(
  tx: Transaction,
  { catalogue }: ShopRules,
  { idempotencyKey, sku, userId }: Omit<Wish, "priceMinor">,
): Promise<
  | { readonly priceMinor: number; readonly left: number | null; readonly picture?: string }
  | undefined
> {
  const offer = await findOffer(tx, catalogue, sku);
  if (!offer || offer.product.hidden) return undefined;
  const { picture, priceMinor } = offer.product;
  await keepQuote(tx, { key: scopedKey(userId, idempotencyKey), sku, priceMinor });
  return { priceMinor, left: offer.left ?? null, ...(picture !== undefined && { picture }) };
}

/** Cancels and refunds an order of this user once, while its window is open. */
export async function cancelOrder(
  tx: Transaction,
  rules: ShopRules,
  userId: number,
  orderId: number,
): Promise<CancelResult> {
  await lockAccount(tx, userId);
  const detail = await orderDetail(tx, rules, userId, orderId);
  if (!detail) {
    return { kind: "not-found" };
  }
  const { order } = detail;
  if (order.status === "cancelled") {
    return { kind: "already-cancelled", detail };
  }
  if (detail.cancellableUntilEpochMs === null) {
    return { kind: "too-late", detail };
  }
  const balanceMinor = await refund(tx, order);
  const now = { ...order, status: "cancelled", cancelledAtEpochMs: tx.nowEpochMs } as const;
  return { kind: "cancelled", detail: await detailOf(tx, rules, now), balanceMinor };
}

/**
 * Cancels an order in status `paid`, refunds its price and puts back what it took from the stock.
 *
 * @returns the owner's new balance.
 */
export async function refund(tx: Transaction, order: Order): Promise<number> {
  const cancelled = await shopOf(tx).cancelOrder(order.id, tx.nowEpochMs);
  const after = await post(tx, {
    userId: order.userId,
    amountMinor: order.priceMinor,
    kind: "refund",
    reference: reference(order),
  });
  assert(cancelled && after !== undefined, "a paid order cannot have been refunded before");
  await stockOf(tx).putBack(order.id);
  return after;
}

/**
 * Returns one page of a user's orders.
 *
 * @param pageIndex 0 or more.
 * @param pageSize At least 1.
 */
export async function ordersPage(
  tx: Transaction,
  userId: number,
  pageIndex: number,
  pageSize: number,
): Promise<OrdersPage> {
  const page = await shopOf(tx).orders(userId, pageIndex * pageSize, pageSize);
  const pages = Math.max(1, Math.ceil(page.total / pageSize));
  return pageIndex < pages
    ? { orders: page.items, pageIndex, pages, total: page.total }
    : ordersPage(tx, userId, pages - 1, pageSize);
}

/** Returns an order of this user; `undefined` when there is none or it is another user's. */
export async function orderDetail(
  tx: Transaction,
  rules: ShopRules,
  userId: number,
  orderId: number,
): Promise<OrderDetail | undefined> {
  const order = await shopOf(tx).findOrder(orderId);
  return order?.userId === userId ? detailOf(tx, rules, order) : undefined;
}

/**
 * Sets the note of an order of this user; "" removes it.
 *
 * @returns `undefined` when there is no such order or it is another user's.
 */
export async function annotateOrder(
  tx: Transaction,
  rules: ShopRules,
  userId: number,
  orderId: number,
  note: string,
): Promise<OrderDetail | undefined> {
  const detail = await orderDetail(tx, rules, userId, orderId);
  if (!detail) {
    return undefined;
  }
  const kept = note === "" ? undefined : note;
  await shopOf(tx).setOrderNote(orderId, kept);
  return { ...detail, order: { ...detail.order, note: kept } };
}

/** Returns the order that fulfilled this user's wish; `undefined` while there is none. */
export async function orderOfWish(
  tx: Transaction,
  rules: ShopRules,
  userId: number,
  idempotencyKey: string,
): Promise<OrderDetail | undefined> {
  const order = await shopOf(tx).findOrderByKey(scopedKey(userId, idempotencyKey));
  return order && detailOf(tx, rules, order);
}

/** Adds the user to a key, which is unique in the table, so no user can take another user's key. */
function scopedKey(userId: number, idempotencyKey: string): string {
  return `${userId}:${idempotencyKey}`;
}

function reference(order: Order): string {
  return `order:${order.id}`;
}

async function detailOf(tx: Transaction, rules: ShopRules, order: Order): Promise<OrderDetail> {
  const untilEpochMs = order.createdAtEpochMs + rules.cancelWindowMs;
  const cancellable = order.status === "paid" && tx.nowEpochMs <= untilEpochMs;
  const code = order.status === "done" ? await stockOf(tx).codeOfOrder(order.id) : undefined;
  const cancellableUntilEpochMs = cancellable ? untilEpochMs : null;
  return { order, cancellableUntilEpochMs, ...(code !== undefined && { code }) };
}
