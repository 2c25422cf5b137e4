/** Panel setup: a shop's history on a store, for what its panel shows. */
import type { Transaction } from "../../../bot/core/transaction.ts";
import { openAccount } from "../../../bot/shop/accounts.ts";
import { campaignsOf } from "../../../bot/shop/campaigns/campaign-tables.ts";
import { buy, cancelOrder } from "../../../bot/shop/orders.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";
import { creditPayment } from "../../../bot/shop/stars/topups.ts";
import { exampleCatalogue, rules, starOptions } from "../shop-setup.ts";

export const dayMs = 86_400_000;
const [product] = exampleCatalogue.products;
export const priceMinor = product?.priceMinor ?? 0;

type Run = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

/** Somebody with a name buys so many, and tops up with as many payments of 50 Stars. */
export async function trade(run: Run, userId: number, firstName: string, times: number) {
  const { sku = "" } = product ?? {};
  await run((tx) => openAccount(tx, userId, 1_000_000));
  await run((tx) => shopOf(tx).setProfile(userId, { firstName }));
  for (let time = 0; time < times; time++) {
    await run(async (tx) => {
      const idempotencyKey = `${tx.nowEpochMs}-${time}`;
      await buy(tx, rules, { userId, sku, priceMinor, idempotencyKey });
      const chargeId = `${userId}-${tx.nowEpochMs}-${time}`;
      const payment = { chargeId, userId, currency: "XTR", total: 50, payload: "?" };
      await creditPayment(tx, { ...rules, ...starOptions, welcomeBalanceMinor: 0 }, payment);
    });
  }
}

export const cancel = (run: Run, userId: number, orderId: number) =>
  run((tx) => cancelOrder(tx, rules, userId, orderId));

/** A broadcast to 10 people, of whom 3 were written to. */
export async function broadcast(run: Run): Promise<void> {
  await run(async (tx) => {
    const id = await campaignsOf(tx).addCampaign(9, { text: "Coffee is back" }, tx.nowEpochMs);
    const draft = await campaignsOf(tx).findCampaign(id);
    if (!draft) throw new Error("there is no draft");
    await campaignsOf(tx).saveCampaign({
      ...draft,
      state: "running",
      expected: 10,
      startedAtEpochMs: tx.nowEpochMs,
      counts: { ...draft.counts, sent: 2, blocked: 1 },
    });
    await campaignsOf(tx).addCampaign(9, { text: "A draft" }, tx.nowEpochMs);
  });
}
