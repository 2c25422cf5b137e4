/**
 * /shop: shows the list and single products, asks for confirmation, and buys.
 *
 * The confirm button carries the wish: the product, the price that was shown, and a key made from
 * the update that asked for it. However often it is pressed, under any update ids, it is one wish;
 * only choosing the product again makes another.
 */

import type { BotContext } from "../../kit/bot-context.ts";
import { findProduct } from "../catalogue.ts";
import { type BuyResult, buy, orderOfWish, quote, type Wish } from "../orders.ts";
import { listOffers, type Offer } from "../stock/offers.ts";
import { button, keyboard } from "./keyboard.ts";
import { type Card, orderCard } from "./order-card.ts";
import { type CommandOptions, createRoutes, parseCount, type Routes, type Turn } from "./routes.ts";

export function shopRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);

  routes.privateCommand("shop", async (turn) =>
    turn.ctx.reply(...(await listCard(turn, options, ""))),
  );

  routes.press("category", async (turn, [category = ""]) => {
    await turn.ctx.editMessageText(...(await listCard(turn, options, category)));
    return undefined;
  });

  routes.press("item", (turn, [sku = ""]) => askToConfirm(turn, options, sku));

  routes.press("buy", async (turn, [sku = "", price, idempotencyKey = ""]) => {
    const priceMinor = parseCount(price);
    return priceMinor === undefined || !wishKeyPattern.test(idempotencyKey)
      ? turn.texts.staleButton
      : fulfil(turn, options, { userId: turn.visitor.userId, sku, priceMinor, idempotencyKey });
  });

  routes.press("drop", async (turn, [key = ""]) => {
    const { ctx, texts, visitor } = turn;
    if (!wishKeyPattern.test(key)) {
      return texts.staleButton;
    }
    const { result } = await turn.account((tx) => orderOfWish(tx, options, visitor.userId, key));
    if (!result) {
      await ctx.editMessageText(texts.dropped);
      return undefined;
    }
    // "Buy" was pressed first, but its receipt had not yet replaced the buttons.
    await ctx.editMessageText(...orderCard(turn, options.catalogue, result, 0, texts.boughtBefore));
    return texts.boughtBefore;
  });

  return routes;
}

/** Matches the keys that `wishKey` makes. */
const wishKeyPattern = /^[0-9a-z]{1,11}\.[0-9a-z]{1,9}$/;

/**
 * Returns a key for the wish that this update asks for. Update ids alone are not enough: after a
 * quiet week Telegram restarts them at random (Bot API, `Update.update_id`), and a reused key would
 * buy nothing.
 */
function wishKey({ update, receivedAtEpochMs }: BotContext): string {
  return `${update.update_id.toString(36)}.${receivedAtEpochMs.toString(36)}`;
}

/** Lists the categories and what is in none of them, or what is in one category. */
async function listCard(turn: Turn, options: CommandOptions, category: string): Promise<Card> {
  const { format, texts, visitor } = turn;
  const { catalogue } = options;
  const offers = (await options.read((tx) => listOffers(tx, catalogue))).filter(
    ({ product }) => !product.hidden,
  );
  const row = ({ left, product: { name, priceMinor, sku } }: Offer) => {
    const state = left === 0 ? texts.soldOutMark : format.money(priceMinor);
    return [button(`${name[visitor.language]} · ${state}`, `item:${sku}`)];
  };
  const within = (id: string) => offers.filter(({ product }) => (product.category ?? "") === id);
  const shelves = catalogue.categories.filter(({ id }) => within(id).length > 0);
  const inShelf = shelves.find(({ id }) => id === category);
  if (inShelf) {
    const back = [button(texts.allCategories, "category")];
    return [inShelf.name[visitor.language], keyboard(...within(category).map(row), back)];
  }
  const shelfRow = ({ id, name }: (typeof shelves)[number]) => [
    button(`${name[visitor.language]} ›`, `category:${id}`),
  ];
  return [texts.shop, keyboard(...shelves.map(shelfRow), ...within("").map(row))];
}

/** Shows a product at its price of now, which is kept for this confirmation; returns the toast. */
async function askToConfirm(
  { ctx, visitor, texts, format }: Turn,
  options: CommandOptions,
  sku: string,
): Promise<string | undefined> {
  const { language, userId } = visitor;
  const key = wishKey(ctx);
  const quoted = await ctx.transaction(
    async (tx) => (await quote(tx, options, { userId, sku, idempotencyKey: key })) ?? null,
  );
  const product = findProduct(options.catalogue, sku);
  if (!quoted || !product) return texts.unknownProduct;
  if (quoted.left === 0) return texts.soldOut;
  const { picture, priceMinor } = quoted;
  // A message of its own: a picture that Telegram no longer knows costs nobody the question.
  if (picture !== undefined) await ctx.replyWithPhoto(picture);
  const price = format.money(priceMinor);
  const { [language]: name } = product.name;
  const { [language]: description } = product.description;
  const left = quoted.left === null ? "" : `\n${texts.left(format.count(quoted.left))}`;
  await ctx.reply(
    texts.confirm(name, `${description}${left}`, price),
    keyboard(
      [button(texts.confirmButton(price), `buy:${sku}:${priceMinor}:${key}`)],
      [button(texts.dropButton, `drop:${key}`)],
    ),
  );
  return undefined;
}

/** Buys the product, turns the question into its receipt, and returns the toast. */
async function fulfil(turn: Turn, options: CommandOptions, wish: Wish): Promise<string> {
  const { headline, result, toast } = await buyFor(turn, options, wish);
  await ("detail" in result
    ? turn.ctx.editMessageText(...orderCard(turn, options.catalogue, result.detail, 0, headline))
    : turn.ctx.editMessageText(headline));
  return toast;
}

/** Buys for the visitor, and says how that ended. */
export async function buyFor(turn: Turn, options: CommandOptions, wish: Wish) {
  const { result } = await turn.account((tx) => buy(tx, options, wish));
  if (result.kind === "bought") {
    const { userId, id: orderId, sku, priceMinor } = result.detail.order;
    const facts = { orderId, sku, priceMinor };
    options.publish({ type: "business.recorded", name: "order_paid", userId, facts });
  }
  return { result, ...outcomeTexts(turn, result) };
}

function outcomeTexts({ texts, format }: Turn, result: BuyResult) {
  const both = (text: string) => ({ headline: text, toast: text });
  switch (result.kind) {
    case "bought":
      return {
        headline: texts.bought(format.money(result.balanceMinor)),
        toast: texts.boughtToast(format.money(result.detail.order.priceMinor)),
      };
    case "already-bought":
      return both(texts.boughtBefore);
    case "insufficient-balance": {
      const { priceMinor, balanceMinor } = result;
      return both(texts.insufficient(format.money(priceMinor), format.money(balanceMinor)));
    }
    case "price-changed":
      return both(texts.priceChanged(format.money(result.priceMinor)));
    case "unknown-product":
      return both(texts.unknownProduct);
    case "sold-out":
      return both(texts.soldOut);
    case "blocked":
      return both(texts.blocked);
  }
}
