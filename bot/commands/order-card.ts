/** Order card: one order as a message, with what can be done about it. */
import { Markup } from "telegraf";
import { type Catalogue, findProduct, type Language } from "../shop/catalogue.ts";
import type { OrderDetail } from "../shop/orders.ts";
import type { Turn } from "./routes.ts";

/** Text and buttons, as `ctx.reply` and `ctx.editMessageText` take them. */
export type Card = readonly [text: string, buttons: ReturnType<typeof Markup.inlineKeyboard>];

/**
 * @param pageIndex Page of the list from which it was opened, to go back to.
 * @param headline Said above the card.
 */
export function orderCard(
  { texts, format, visitor }: Turn,
  catalogue: Catalogue,
  { order, cancellableUntilEpochMs: untilEpochMs }: OrderDetail,
  pageIndex: number,
  headline?: string,
): Card {
  const price = format.money(order.priceMinor);
  const cancelledAtEpochMs = order.cancelledAtEpochMs;
  const parts = [
    headline,
    texts.order(
      String(order.id),
      productName(catalogue, order.sku, visitor.language),
      price,
      format.instant(order.createdAtEpochMs),
      texts.orderStatuses[order.status],
    ),
    cancelledAtEpochMs && texts.cancelledAt(format.instant(cancelledAtEpochMs)),
    untilEpochMs && texts.cancellableUntil(format.instant(untilEpochMs)),
  ];
  const cancel = Markup.button.callback(
    texts.cancelButton(price),
    `cancel:${order.id}:${pageIndex}`,
    untilEpochMs === null,
  );
  const list = Markup.button.callback(texts.allOrders, `orders:${pageIndex}`);
  return [parts.filter(Boolean).join("\n\n"), Markup.inlineKeyboard([[cancel], [list]])];
}

/** A product's name; its sku when it is no longer sold. */
export function productName(catalogue: Catalogue, sku: string, language: Language): string {
  return findProduct(catalogue, sku)?.name[language] ?? sku;
}
