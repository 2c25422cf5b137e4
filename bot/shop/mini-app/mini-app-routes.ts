/**
 * Mini App routes: what the shop's page asks, and what a person does on it.
 *
 * Buying and cancelling end in the code of /shop and /orders, with the same keys and the same texts, and the
 * receipt comes into the chat. The id that the page gives a purchase is the key of the wish: it is quoted
 * under it when the person is asked, and bought under it when they confirm.
 */
import { z } from "zod";
import type { Transaction } from "../../core/transaction.ts";
import type { AnswerAsk } from "../../kit/mini-app.ts";
import { findProduct } from "../catalogue.ts";
import { createFormats } from "../commands/format.ts";
import { orderCard } from "../commands/order-card.ts";
import { cancelFor } from "../commands/orders.ts";
import {
  type CommandOptions,
  createRoutes,
  onAccount,
  type Routes,
  type Voice,
} from "../commands/routes.ts";
import { buyFor } from "../commands/shop.ts";
import { texts } from "../commands/texts.ts";
import { visitorInApp } from "../commands/visitor.ts";
import { quote } from "../orders.ts";
import { standingOf } from "../people/standing.ts";
import { ordersView, shopView } from "./mini-app-views.ts";

const sku = z.string().regex(/^[a-z0-9-]{1,24}$/);
const confirmData = z.object({ sku, wish: z.string().regex(/^[\w-]{16,64}$/) });
const ordersData = z.object({ page: z.int().min(0).max(1_000_000) });
const buyData = z.object({ sku, priceMinor: z.int().positive() });
const cancelData = z.object({ orderId: z.int().positive() });

export function miniAppRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  const { miniApp } = options;

  miniApp.ask(
    "shop",
    answering(options, (tx, voice) => shopView(tx, voice, options)),
  );

  miniApp.ask(
    "orders",
    answering(options, (tx, voice, data) => {
      const page = ordersData.safeParse(data).data?.page ?? 0;
      return ordersView(tx, voice, options, page);
    }),
  );

  miniApp.ask(
    "confirm",
    answering(options, (tx, voice, data) => confirm(tx, voice, options, data)),
  );

  routes.act("buy", async (turn, data, requestId) => {
    const wanted = buyData.safeParse(data).data;
    if (!wanted) return { kind: "refused", text: turn.texts.app.refused };
    const { userId } = turn.visitor;
    const wish = { userId, ...wanted, idempotencyKey: wishKey(requestId) };
    const { headline, result } = await buyFor(turn, options, wish);
    if (result.kind === "bought") {
      await turn.ctx.reply(...orderCard(turn, options.catalogue, result.detail, 0, headline));
    }
    return { kind: result.kind, text: headline };
  });

  routes.act("cancel", async (turn, data) => {
    const wanted = cancelData.safeParse(data).data;
    if (!wanted) return { kind: "refused", text: turn.texts.app.refused };
    const { result, text } = await cancelFor(turn, options, wanted.orderId);
    if (result.kind === "cancelled") {
      await turn.ctx.reply(...orderCard(turn, options.catalogue, result.detail, 0, text));
    }
    return { kind: result.kind, text };
  });

  return routes;
}

/** The keys of the chat's wishes have a dot in another place, so no key is both. */
function wishKey(requestId: string): string {
  return `app.${requestId}`;
}

/** Shows a product at its price of now, which is kept for this wish. */
async function confirm(tx: Transaction, voice: Voice, options: CommandOptions, data: unknown) {
  const { format, texts: t, visitor } = voice;
  const wanted = confirmData.safeParse(data).data;
  const product = wanted && findProduct(options.catalogue, wanted.sku);
  if (!wanted || !product) return { kind: "refused", text: t.unknownProduct };
  const wish = { userId: visitor.userId, sku: product.sku, idempotencyKey: wishKey(wanted.wish) };
  const quoted = await quote(tx, options, wish);
  if (!quoted) return { kind: "refused", text: t.unknownProduct };
  if (quoted.left === 0) return { kind: "refused", text: t.soldOut };
  return {
    kind: "confirm",
    name: product.name[visitor.language],
    description: product.description[visitor.language],
    price: format.money(quoted.priceMinor),
    priceMinor: quoted.priceMinor,
    button: t.confirmButton(format.money(quoted.priceMinor)),
  };
}

/** Answers in the person's language, on their account. A blocked person is told only that. */
function answering(
  options: CommandOptions,
  work: (tx: Transaction, voice: Voice, data: unknown) => Promise<unknown>,
): AnswerAsk {
  return async (from, data, transaction) => {
    const known = visitorInApp(from);
    const { blocked, language = known.language } = await options.read((tx) =>
      standingOf(tx, known.userId),
    );
    if (blocked) return { blocked: texts(language).blocked };
    const { formats = createFormats(options.catalogue.currency) } = options;
    const visitor = { ...known, language };
    const voice = { visitor, texts: texts(language), format: formats[language] };
    const { result } = await onAccount(transaction, visitor, options, (tx) =>
      work(tx, voice, data),
    );
    return result;
  };
}
