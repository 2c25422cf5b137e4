/** /export: sends a person everything that is stored about them, as a JSON document. */

import { formatInstant } from "../../core/clock.ts";
import { textFile } from "../../kit/text-file.ts";
import { type PersonalData, personalData } from "../personal-data.ts";
import type { LedgerEntry, Order } from "../tables.ts";
import type { Format } from "./format.ts";
import { productName } from "./order-card.ts";
import { type CommandOptions, createRoutes, type Routes, type Turn } from "./routes.ts";

export function exportRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  routes.privateCommand("export", async (turn) => {
    const { ctx, visitor, texts, format } = turn;
    // It is sent inside the step, because the document is too large for a step's result.
    await turn.account(async (tx) => {
      const data = await personalData(tx, visitor.userId);
      const document = toDocument(turn, options, data, tx.nowEpochMs);
      const file = textFile(`${JSON.stringify(document, null, 2)}\n`, "personal-data.json");
      const counts = [data.orders.length, data.entries.length].map(format.count);
      const [orders = "", entries = ""] = counts;
      const caption = data.cut ? texts.exportCaptionCut(orders, entries) : texts.exportCaption;
      await ctx.replyWithDocument(file, { caption });
    });
  });
  return routes;
}

/** Builds the document with ISO 8601 instants and decimal amounts in the shop's currency. */
function toDocument(
  { format, visitor }: Turn,
  { catalogue }: CommandOptions,
  data: PersonalData,
  nowEpochMs: number,
) {
  return {
    exportedAt: formatInstant(nowEpochMs),
    account: {
      telegramUserId: visitor.userId,
      openedAt: data.account && formatInstant(data.account.createdAtEpochMs),
      balance: format.decimal(data.balanceMinor),
      currency: catalogue.currency.code,
    },
    profile: data.profile ?? null,
    language: data.language ?? null,
    complete: !data.cut,
    orders: data.orders.map((order) => ({
      ...toOrder(order, format),
      product: productName(catalogue, order.sku, visitor.language),
    })),
    entries: data.entries.map((entry) => toEntry(entry, format)),
    tickets: data.words.map(({ adminId, atEpochMs, ticketId, words }) => ({
      number: ticketId,
      from: adminId === undefined ? "you" : "shop",
      at: formatInstant(atEpochMs),
      words,
    })),
  };
}

function toOrder(order: Order, format: Format) {
  const { cancelledAtEpochMs, createdAtEpochMs, id, note, priceMinor, sku, status } = order;
  return {
    number: id,
    sku,
    price: format.decimal(priceMinor),
    status,
    boughtAt: formatInstant(createdAtEpochMs),
    cancelledAt: cancelledAtEpochMs === undefined ? null : formatInstant(cancelledAtEpochMs),
    note: note ?? null,
  };
}

function toEntry({ amountMinor, createdAtEpochMs, kind, reference }: LedgerEntry, format: Format) {
  return {
    at: formatInstant(createdAtEpochMs),
    amount: format.decimal(amountMinor),
    kind,
    reference,
  };
}
