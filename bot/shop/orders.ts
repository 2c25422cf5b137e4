/**
 * Orders: buys, cancels and finds orders.
 *
 * An order and its debit, and a cancellation and its refund, are written in the caller's
 * transaction: both or neither. A refused request is a result, not an error, because the durable
 * step must remember that answer like any other.
 */

import assert from "node:assert/strict";
import type { Transaction } from "../core/transaction.ts";
import { type Catalogue, findProduct } from "./catalogue.ts";
import { lockAccount, post } from "./ledger.ts";
import { shopOf } from "./sqlite-tables.ts";
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
  | { readonly kind: "unknown-product" };

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
  const product = findProduct(rules.catalogue, sku);
  if (!product) {
    return { kind: "unknown-product" };
  }
  const { priceMinor } = product;
  if (priceMinor !== wish.priceMinor) {
    return { kind: "price-changed", priceMinor };
  }
  const balanceMinor = await shopOf(tx).balanceMinor(userId);
  if (balanceMinor < priceMinor) {
    return { kind: "insufficient-balance", priceMinor, balanceMinor };
  }
  const order = await shopOf(tx).insertOrder({
    userId,
    sku,
    priceMinor,
    idempotencyKey: scopedKey(userId, idempotencyKey),
    createdAtEpochMs: tx.nowEpochMs,
  });
  const after = await post(tx, {
    userId,
    amountMinor: -priceMinor,
    kind: "purchase",
    reference: reference(order),
  });
  assert(after !== undefined, "a new order cannot have been paid before");
  return { kind: "bought", detail: detailOf(tx, rules, order), balanceMinor: after };
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
  const cancelled = await shopOf(tx).cancelOrder(orderId, tx.nowEpochMs);
  const after = await post(tx, {
    userId,
    amountMinor: order.priceMinor,
    kind: "refund",
    reference: reference(order),
  });
  assert(cancelled && after !== undefined, "a paid order cannot have been refunded before");
  const now = { ...order, status: "cancelled", cancelledAtEpochMs: tx.nowEpochMs } as const;
  return { kind: "cancelled", detail: detailOf(tx, rules, now), balanceMinor: after };
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

function detailOf(tx: Transaction, rules: ShopRules, order: Order): OrderDetail {
  const untilEpochMs = order.createdAtEpochMs + rules.cancelWindowMs;
  const cancellable = order.status === "paid" && tx.nowEpochMs <= untilEpochMs;
  return { order, cancellableUntilEpochMs: cancellable ? untilEpochMs : null };
}
