/** /orders: shows pages of orders and single orders, and cancels them. */

import {
  type CancelResult,
  cancelOrder,
  type OrdersPage,
  orderDetail,
  ordersPage,
} from "../orders.ts";
import type { Order } from "../tables.ts";
import { button, keyboard } from "./keyboard.ts";
import { type Card, orderCard, productName } from "./order-card.ts";
import { type CommandOptions, createRoutes, parseCount, type Routes, type Turn } from "./routes.ts";

/** Orders per page: as many buttons as a small screen shows at once. */
const pageSize = 5;

export function ordersRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);

  routes.privateCommand("orders", async (turn) => {
    const { userId } = turn.visitor;
    const { result } = await turn.account((tx) => ordersPage(tx, userId, 0, pageSize));
    await turn.ctx.reply(...pageCard(turn, options, result));
  });

  routes.press("orders", async (turn, [page]) => {
    const pageIndex = parseCount(page);
    if (pageIndex === undefined) {
      return turn.texts.staleButton;
    }
    const { userId } = turn.visitor;
    const { result } = await turn.account((tx) => ordersPage(tx, userId, pageIndex, pageSize));
    await turn.ctx.editMessageText(...pageCard(turn, options, result));
    return undefined;
  });

  routes.press("order", async (turn, [id, page]) => {
    const orderId = parseCount(id);
    const pageIndex = parseCount(page);
    if (orderId === undefined || pageIndex === undefined) {
      return turn.texts.staleButton;
    }
    const { userId } = turn.visitor;
    const { result } = await turn.account((tx) => orderDetail(tx, options, userId, orderId));
    if (!result) {
      return turn.texts.orderNotFound;
    }
    await turn.ctx.editMessageText(...orderCard(turn, options.catalogue, result, pageIndex));
    return undefined;
  });

  routes.press("cancel", async (turn, [id, page]) => {
    const orderId = parseCount(id);
    const pageIndex = parseCount(page);
    return orderId === undefined || pageIndex === undefined
      ? turn.texts.staleButton
      : cancel(turn, options, orderId, pageIndex);
  });

  return routes;
}

/** Cancels an order, shows its new state, and returns the toast. */
async function cancel(
  turn: Turn,
  options: CommandOptions,
  orderId: number,
  pageIndex: number,
): Promise<string> {
  const { result, text } = await cancelFor(turn, options, orderId);
  if (result.kind !== "not-found") {
    const card = orderCard(turn, options.catalogue, result.detail, pageIndex);
    await turn.ctx.editMessageText(...card);
  }
  return text;
}

/** Cancels an order of the visitor, and says how that ended. */
export async function cancelFor(turn: Turn, options: CommandOptions, orderId: number) {
  const { userId } = turn.visitor;
  const { result } = await turn.account((tx) => cancelOrder(tx, options, userId, orderId));
  if (result.kind === "cancelled") {
    const { sku, priceMinor } = result.detail.order;
    const facts = { orderId, sku, priceMinor };
    options.publish({ type: "business.recorded", name: "order_cancelled", userId, facts });
  }
  return { result, text: outcomeText(turn, result) };
}

function outcomeText({ texts, format }: Turn, result: CancelResult): string {
  switch (result.kind) {
    case "cancelled": {
      const price = format.money(result.detail.order.priceMinor);
      return texts.refunded(price, format.money(result.balanceMinor));
    }
    case "already-cancelled":
      return texts.refundedBefore;
    case "too-late":
      return texts.cancelTooLate;
    case "not-found":
      return texts.orderNotFound;
  }
}

function pageCard(
  { texts, format, visitor }: Turn,
  { catalogue }: CommandOptions,
  { orders, pageIndex, pages, total }: OrdersPage,
): Card {
  if (total === 0) {
    return [texts.noOrders, keyboard()];
  }
  const row = ({ id, sku, status }: Order) => {
    const name = productName(catalogue, sku, visitor.language);
    const label = texts.orderButton(String(id), name, texts.orderStatuses[status]);
    return [button(label, `order:${id}:${pageIndex}`)];
  };
  const turnPage = [
    pageIndex > 0 && button(texts.previousPage, `orders:${pageIndex - 1}`),
    pageIndex + 1 < pages && button(texts.nextPage, `orders:${pageIndex + 1}`),
  ];
  const heading = texts.orders(
    format.count(pageIndex + 1),
    format.count(pages),
    format.count(total),
  );
  return [heading, keyboard(...orders.map(row), turnPage)];
}
