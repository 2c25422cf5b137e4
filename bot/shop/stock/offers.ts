/**
 * Offers: a product as it is sold now: the catalogue file, what an administrator changed, and what is left.
 *
 * What an administrator changes goes before the file, until it is taken back. A number of pieces in the file
 * sets the stock once, whenever it is another number than before.
 */
import assert from "node:assert/strict";
import type { Transaction } from "../../core/transaction.ts";
import { type Catalogue, findProduct, type Product } from "../catalogue.ts";
import { lockStock, stockOf } from "./stock-tables.ts";

/** A product as it is sold now. */
export interface Offer {
  /** With the changes of administrators. */
  readonly product: Product;
  /** How many can be bought; `undefined` when nobody counts them. */
  readonly left: number | undefined;
}

/** A change by an administrator. */
export interface ProductChange {
  readonly priceMinor?: number;
  readonly hidden?: boolean;
  /** Telegram's id of a photo. */
  readonly picture?: string;
}

const changes = "shop:products";
const quotes = "shop:quotes";
/** How long a price that was shown can be paid. */
const quoteKeptMs = 24 * 3_600_000;

/** Returns the offer of a product in the catalogue, hidden or not; `undefined` when there is none. */
export async function findOffer(
  tx: Transaction,
  catalogue: Catalogue,
  sku: string,
): Promise<Offer | undefined> {
  const product = findProduct(catalogue, sku);
  return product && offerOf(tx, product, await changeOf(tx, sku));
}

/** Returns every offer, in the order of the catalogue. */
export async function listOffers(tx: Transaction, catalogue: Catalogue): Promise<readonly Offer[]> {
  const offers: Offer[] = [];
  for (const product of catalogue.products) {
    offers.push(await offerOf(tx, product, await changeOf(tx, product.sku)));
  }
  return offers;
}

async function offerOf(tx: Transaction, product: Product, change: ProductChange): Promise<Offer> {
  return { product: { ...product, ...change }, left: await leftOf(tx, product) };
}

async function changeOf({ documents }: Transaction, sku: string): Promise<ProductChange> {
  return (await documents.get<ProductChange>(changes, sku)) ?? {};
}

/** Changes a product; a change of `undefined` takes back all changes. */
export async function changeProduct(
  tx: Transaction,
  sku: string,
  change: ProductChange | undefined,
): Promise<void> {
  await tx.lock(`product:${sku}`);
  if (!change) await tx.documents.delete(changes, sku);
  else await tx.documents.put(changes, sku, { ...(await changeOf(tx, sku)), ...change });
}

/** Sets how many are left. */
export async function setStock(tx: Transaction, product: Product, left: number): Promise<void> {
  await lockStock(tx, product.sku);
  await stockOf(tx).setStock(product.sku, { left, fileCount: product.stock ?? null });
}

async function leftOf(tx: Transaction, product: Product): Promise<number | undefined> {
  const stock = stockOf(tx);
  if (product.digital) return stock.countFreeCodes(product.sku);
  const found = await stock.findStock(product.sku);
  if (product.stock === undefined || product.stock === found?.fileCount) return found?.left;
  await lockStock(tx, product.sku);
  // Another transaction may have applied the number, and sold a piece, before the lock.
  const row = await stock.findStock(product.sku);
  if (product.stock === row?.fileCount) return row.left;
  await stock.setStock(product.sku, { left: product.stock, fileCount: product.stock });
  return product.stock;
}

/**
 * Takes one piece of an offer for a new order, in the transaction that makes the order.
 *
 * The caller holds the stock (`lockStock`) since before it found the offer, so what that said still holds.
 *
 * @returns the code of digital goods, for the buyer.
 */
export async function takeFor(
  tx: Transaction,
  { left, product }: Offer,
  orderId: number,
): Promise<string | undefined> {
  if (product.digital) {
    const code = await stockOf(tx).giveCode(product.sku, orderId, tx.nowEpochMs);
    assert(code !== undefined, "an offer with codes left has one");
    return code;
  }
  if (left !== undefined) {
    assert(await stockOf(tx).takeOne(product.sku, orderId), "an offer with pieces left has one");
  }
  return undefined;
}

/** Keeps the price that is shown to a person, so that a later change does not touch their confirmation. */
export async function keepQuote(
  { documents }: Transaction,
  { key, ...quote }: Quote & { readonly key: string },
): Promise<void> {
  await documents.put(quotes, key, quote, { keepMs: quoteKeptMs });
}

interface Quote {
  readonly sku: string;
  readonly priceMinor: number;
}

/** Whether this price was shown under this key. */
export async function isQuoted(
  { documents }: Transaction,
  { key, priceMinor, sku }: Quote & { readonly key: string },
): Promise<boolean> {
  const quote = await documents.get<Quote>(quotes, key);
  return quote?.sku === sku && quote.priceMinor === priceMinor;
}
