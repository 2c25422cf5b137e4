/** Orders desk: lists the orders to fulfil, finishes or refuses them, and writes to their buyers. */
import type { Transaction } from "../../core/transaction.ts";
import { button, keyboard } from "../commands/keyboard.ts";
import { type Card, productName } from "../commands/order-card.ts";
import { type CommandOptions, parseCount, type Routes, type Turn } from "../commands/routes.ts";
import { shopOf } from "../sqlite-tables.ts";
import type { Order } from "../tables.ts";
import { askAdmin, audit, menuButton, reply, show, tell, textsOf } from "./admin-turn.ts";
import { completeOrder, type OrderAct, refuseOrder, tellBuyer } from "./desk.ts";

const pageSize = 8;

export function registerOrdersDesk(routes: Routes, options: CommandOptions): void {
  routes.press("adm-orders", async (turn, [page]) => {
    const offset = pageSize * (parseCount(page) ?? 0);
    const { items, total } = await options.read((tx) =>
      shopOf(tx).ordersToFulfil(offset, pageSize),
    );
    return show(turn, listCard(turn, options, items, offset, total));
  });

  routes.press("adm-order", async (turn, [id]) => {
    const found = await options.read((tx) => findOrder(tx, parseCount(id)));
    return found
      ? show(turn, orderCard(turn, options, found.order, found.name))
      : textsOf(turn).orderNotOpen;
  });

  routes.press("adm-done", async (turn, [id]) => {
    const orderId = parseCount(id) ?? 0;
    const { userId } = turn.visitor;
    const result = await turn.ctx.transaction((tx) => completeOrder(tx, userId, orderId));
    const text = await tellOutcome(turn, options, result, "");
    if (result.kind !== "not-open") await show(turn, [text, backToList(turn)]);
    return text;
  });

  routes.press("adm-refuse", (turn, [id = ""]) =>
    askAdmin(turn, { what: "refuse", of: id }, textsOf(turn).askRefuse(id)),
  );

  routes.press("adm-tell", (turn, [id = ""]) =>
    askAdmin(turn, { what: "tell", of: id }, textsOf(turn).askTell(id)),
  );
}

/** Answers to this desk's questions, by what was asked. */
export const orderAnswers = {
  refuse: (tx: Transaction, adminId: number, of: string, text: string) =>
    refuseOrder(tx, adminId, parseCount(of) ?? 0, text),
  tell: (tx: Transaction, adminId: number, of: string, text: string) =>
    tellBuyer(tx, adminId, parseCount(of) ?? 0, text),
};

/** Says how an answer was carried out, and tells the buyer. */
export async function replyToOrderAnswer(
  turn: Turn,
  options: CommandOptions,
  result: OrderAct,
  words: string,
): Promise<void> {
  await reply(turn, [await tellOutcome(turn, options, result, words), backToList(turn)]);
}

/** Tells the buyer, writes the audit line, and returns what the administrator reads. */
async function tellOutcome(
  turn: Turn,
  options: CommandOptions,
  result: OrderAct,
  words: string,
): Promise<string> {
  const t = textsOf(turn);
  if (result.kind === "not-open") return t.orderNotOpen;
  const { buyer, order } = result;
  const id = String(order.id);
  const facts = { orderId: order.id, userId: order.userId };
  const nameIn = (language: "zh" | "en") => productName(options.catalogue, order.sku, language);
  switch (result.kind) {
    case "done":
      audit(options, turn, "order-done", facts);
      await tell(turn, options, buyer, ({ admin, language }) =>
        admin.toldDone(id, nameIn(language)),
      );
      return t.orderDone(id);
    case "refused": {
      audit(options, turn, "order-refused", { ...facts, priceMinor: order.priceMinor });
      const { balanceMinor } = result;
      await tell(turn, options, buyer, ({ admin, format, language }) => {
        const [price, balance] = [order.priceMinor, balanceMinor].map(format.money);
        return admin.toldRefused(id, nameIn(language), price ?? "", words, balance ?? "");
      });
      return t.orderRefused(id, turn.format.money(order.priceMinor));
    }
    default:
      audit(options, turn, "tell-buyer", facts);
      await tell(turn, options, buyer, ({ admin }) => admin.toldAboutOrder(id, words));
      return t.buyerTold(id);
  }
}

async function findOrder(tx: Transaction, orderId: number | undefined) {
  const order = orderId === undefined ? undefined : await shopOf(tx).findOrder(orderId);
  return order && { order, name: (await shopOf(tx).findProfile(order.userId))?.firstName ?? "" };
}

function backToList(turn: Turn) {
  return keyboard([button(textsOf(turn).orders, "adm-orders"), menuButton(turn)]);
}

function listCard(
  turn: Turn,
  { catalogue }: CommandOptions,
  orders: readonly Order[],
  offset: number,
  total: number,
): Card {
  const t = textsOf(turn);
  if (total === 0) return [t.noOrders, keyboard([menuButton(turn)])];
  const row = ({ id, sku, userId }: Order) => {
    const name = productName(catalogue, sku, turn.visitor.language);
    return [button(t.orderButton(String(id), name, String(userId)), `adm-order:${id}`)];
  };
  const page = offset / pageSize;
  const turnPage = [
    page > 0 && button(t.newer, `adm-orders:${page - 1}`),
    offset + pageSize < total && button(t.older, `adm-orders:${page + 1}`),
  ];
  const heading = t.orderList(turn.format.count(total));
  return [heading, keyboard(...orders.map(row), turnPage, [menuButton(turn)])];
}

function orderCard(
  turn: Turn,
  { catalogue }: CommandOptions,
  order: Order,
  buyerName: string,
): Card {
  const t = textsOf(turn);
  const { format, texts, visitor } = turn;
  const { id, note, priceMinor, sku, status, userId } = order;
  const text = [
    texts.order(
      String(id),
      productName(catalogue, sku, visitor.language),
      format.money(priceMinor),
      format.instant(order.createdAtEpochMs),
      texts.orderStatuses[status],
    ),
    t.buyer(buyerName || texts.someone, String(userId)),
    note !== undefined && texts.note(note),
  ];
  const open = status === "paid";
  const buttons = keyboard(
    [open && button(t.doneButton, `adm-done:${id}`)],
    [open && button(t.refuseButton, `adm-refuse:${id}`)],
    [button(t.tellButton, `adm-tell:${id}`)],
    [button(t.orders, "adm-orders"), menuButton(turn)],
  );
  return [text.filter(Boolean).join("\n\n"), buttons];
}
