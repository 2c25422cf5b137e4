/**
 * /shop: shows the list and single products, asks for confirmation, and buys.
 *
 * The confirm button carries the wish: the product, the price that was shown, and a key made from
 * the update that asked for it. However often it is pressed, under any update ids, it is one wish;
 * only choosing the product again makes another.
 */

import type { BotContext } from "../../kit/bot-context.ts";
import { findProduct, type Product } from "../catalogue.ts";
import { type BuyResult, buy, orderOfWish, type Wish } from "../orders.ts";
import { button, keyboard } from "./keyboard.ts";
import { orderCard } from "./order-card.ts";
import { type CommandOptions, createRoutes, parseCount, type Routes, type Turn } from "./routes.ts";

export function shopRoutes(options: CommandOptions): Routes {
  const { catalogue } = options;
  const routes = createRoutes(options);

  routes.privateCommand("shop", ({ ctx, visitor, texts, format }) => {
    const row = ({ sku, name, priceMinor }: Product) => {
      const label = `${name[visitor.language]} · ${format.money(priceMinor)}`;
      return [button(label, `item:${sku}`)];
    };
    return ctx.reply(texts.shop, keyboard(...catalogue.products.map(row)));
  });

  routes.press("item", async (turn, [sku = ""]) => {
    const product = findProduct(catalogue, sku);
    if (!product) {
      return turn.texts.unknownProduct;
    }
    await askToConfirm(turn, product);
    return undefined;
  });

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
    await ctx.editMessageText(...orderCard(turn, catalogue, result, 0, texts.boughtBefore));
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

async function askToConfirm({ ctx, visitor, texts, format }: Turn, product: Product) {
  const { sku, priceMinor } = product;
  const key = wishKey(ctx);
  const price = format.money(priceMinor);
  const { [visitor.language]: name } = product.name;
  const { [visitor.language]: description } = product.description;
  await ctx.reply(
    texts.confirm(name, description, price),
    keyboard(
      [button(texts.confirmButton(price), `buy:${sku}:${priceMinor}:${key}`)],
      [button(texts.dropButton, `drop:${key}`)],
    ),
  );
}

/** Buys the product, turns the question into its receipt, and returns the toast. */
async function fulfil(turn: Turn, options: CommandOptions, wish: Wish): Promise<string> {
  const { result } = await turn.account((tx) => buy(tx, options, wish));
  const { headline, toast } = outcomeTexts(turn, result);
  await ("detail" in result
    ? turn.ctx.editMessageText(...orderCard(turn, options.catalogue, result.detail, 0, headline))
    : turn.ctx.editMessageText(headline));
  if (result.kind === "bought") {
    const { userId, id: orderId, sku, priceMinor } = result.detail.order;
    const facts = { orderId, sku, priceMinor };
    options.publish({ type: "business.recorded", name: "order_paid", userId, facts });
  }
  return toast;
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
  }
}
