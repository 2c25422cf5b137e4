/** Mini App views: the shop and a person's orders, in words that the page only has to show. */
import type { Transaction } from "../../core/transaction.ts";
import { productName } from "../commands/order-card.ts";
import type { CommandOptions, Voice } from "../commands/routes.ts";
import { type OrderDetail, orderDetail, ordersPage } from "../orders.ts";
import { shopOf } from "../sqlite-tables.ts";
import { listOffers, type Offer } from "../stock/offers.ts";

const ordersShown = 10;

/** The catalogue by shelves, the balance, and every word that the page needs. */
export async function shopView(tx: Transaction, voice: Voice, { catalogue }: CommandOptions) {
  const { texts, visitor } = voice;
  const { language, userId } = visitor;
  const offers = (await listOffers(tx, catalogue)).filter(({ product }) => !product.hidden);
  const within = (id: string) =>
    offers
      .filter(({ product }) => (product.category ?? "") === id)
      .map((offer) => offerView(voice, offer));
  const shelves = [
    { name: "", offers: within("") },
    ...catalogue.categories.map(({ id, name }) => ({ name: name[language], offers: within(id) })),
  ];
  const { app } = texts;
  return {
    language,
    balance: texts.balance(voice.format.money(await shopOf(tx).balanceMinor(userId))),
    shelves: shelves.filter((shelf) => shelf.offers.length > 0),
    words: {
      shop: app.shop,
      orders: app.orders,
      noOrders: app.noOrders,
      more: app.more,
      askToBuy: app.askToBuy,
      close: app.close,
      waiting: app.waiting,
      refused: app.refused,
      back: app.back,
      failed: texts.failure,
    },
  };
}

function offerView({ format, texts, visitor }: Voice, { left, product }: Offer) {
  const soldOut = left === 0;
  const counted = left === undefined ? "" : texts.left(format.count(left));
  return {
    sku: product.sku,
    name: product.name[visitor.language],
    description: product.description[visitor.language],
    price: format.money(product.priceMinor),
    note: soldOut ? texts.soldOutMark : counted,
    soldOut,
  };
}

/** One page of the person's orders, newest first. */
export async function ordersView(
  tx: Transaction,
  voice: Voice,
  options: CommandOptions,
  page: number,
) {
  const { userId } = voice.visitor;
  const { orders, pageIndex, pages } = await ordersPage(tx, userId, page, ordersShown);
  const shown: object[] = [];
  for (const { id } of orders) {
    const detail = await orderDetail(tx, options, userId, id);
    if (detail) shown.push(orderView(voice, options, detail));
  }
  const more = pageIndex + 1 < pages;
  return { orders: shown, ...(more && { nextPage: pageIndex + 1 }) };
}

function orderView(
  { format, texts, visitor }: Voice,
  { catalogue }: CommandOptions,
  { cancellableUntilEpochMs, code, order }: OrderDetail,
) {
  const price = format.money(order.priceMinor);
  return {
    id: order.id,
    title: `#${order.id} ${productName(catalogue, order.sku, visitor.language)}`,
    price,
    bought: format.instant(order.createdAtEpochMs),
    status: order.status,
    statusText: texts.orderStatuses[order.status],
    ...(code !== undefined && { code: texts.code(code) }),
    ...(order.note !== undefined && { note: texts.note(order.note) }),
    ...(cancellableUntilEpochMs !== null && {
      cancel: texts.cancelButton(price),
      askToCancel: texts.app.askToCancel(String(order.id)),
    }),
  };
}
