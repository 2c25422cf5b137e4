/** Order card: shows one order as a message with buttons for its actions. */
import { type Catalogue, findProduct, type Language } from "../catalogue.ts";
import type { OrderDetail } from "../orders.ts";
import { button, type Keyboard, keyboard } from "./keyboard.ts";
import type { Voice } from "./routes.ts";

/** Text and buttons as arguments for `ctx.reply` and `ctx.editMessageText`. */
export type Card = readonly [text: string, buttons: Keyboard];

/**
 * @param pageIndex The list page from which the order was opened, to return to.
 * @param headline The text above the card.
 */
export function orderCard(
  { texts, format, visitor }: Voice,
  catalogue: Catalogue,
  { code, order, cancellableUntilEpochMs: untilEpochMs }: OrderDetail,
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
    code !== undefined && texts.code(code),
    order.note !== undefined && texts.note(order.note),
    cancelledAtEpochMs && texts.cancelledAt(format.instant(cancelledAtEpochMs)),
    untilEpochMs && texts.cancellableUntil(format.instant(untilEpochMs)),
  ];
  const cancel = button(texts.cancelButton(price), `cancel:${order.id}:${pageIndex}`);
  const list = button(texts.allOrders, `orders:${pageIndex}`);
  return [parts.filter(Boolean).join("\n\n"), keyboard([untilEpochMs !== null && cancel], [list])];
}

/** Returns a product's name, or its sku when it is no longer sold. */
export function productName(catalogue: Catalogue, sku: string, language: Language): string {
  return findProduct(catalogue, sku)?.name[language] ?? sku;
}
