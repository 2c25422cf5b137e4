/** Order card: one order as a message, with what can be done about it. */
import { type Catalogue, findProduct, type Language } from "../catalogue.ts";
import type { OrderDetail } from "../orders.ts";
import { button, type Keyboard, keyboard } from "./keyboard.ts";
import type { Turn } from "./routes.ts";

/** Text and buttons, as `ctx.reply` and `ctx.editMessageText` take them. */
export type Card = readonly [text: string, buttons: Keyboard];

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
    order.note !== undefined && texts.note(order.note),
    cancelledAtEpochMs && texts.cancelledAt(format.instant(cancelledAtEpochMs)),
    untilEpochMs && texts.cancellableUntil(format.instant(untilEpochMs)),
  ];
  const cancel = button(texts.cancelButton(price), `cancel:${order.id}:${pageIndex}`);
  const list = button(texts.allOrders, `orders:${pageIndex}`);
  return [parts.filter(Boolean).join("\n\n"), keyboard([untilEpochMs !== null && cancel], [list])];
}

/** A product's name; its sku when it is no longer sold. */
export function productName(catalogue: Catalogue, sku: string, language: Language): string {
  return findProduct(catalogue, sku)?.name[language] ?? sku;
}
