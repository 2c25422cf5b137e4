/** Stock under any history: never oversold, nothing lost, each code given once, whatever dies in between. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transaction } from "../../../bot/core/transaction.ts";
import { openAccount } from "../../../bot/shop/accounts.ts";
import { refuseOrder } from "../../../bot/shop/admin/desk.ts";
import { parseCatalogue } from "../../../bot/shop/catalogue.ts";
import { buy, cancelOrder, quote } from "../../../bot/shop/orders.ts";
import { changeProduct, findOffer } from "../../../bot/shop/stock/offers.ts";
import { stockOf } from "../../../bot/shop/stock/stock-tables.ts";
import { InjectedFault, InMemoryShopTables } from "../in-memory-shop-tables.ts";
import { dayMs } from "../shop-setup.ts";

const text = { zh: "一", en: "one" };
const counted = { sku: "mug", priceMinor: 100, name: text, description: text, stock: 3 };
const digital = { sku: "key", priceMinor: 100, name: text, description: text, digital: true };
const catalogue = parseCatalogue(
  JSON.stringify({ currency: "CNY", exponent: 2, products: [counted, digital] }),
  "test",
);
const rules = { catalogue, cancelWindowMs: dayMs };

const userId = fc.constantFrom(1, 2, 3);
const sku = fc.constantFrom("mug", "key");
const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const orderId = fc.nat({ max: 12 });

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("buy" as const), userId, sku, key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("ask" as const), userId, sku, key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cancel" as const), userId, orderId }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("refuse" as const), orderId }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("price" as const),
      sku,
      priceMinor: fc.constantFrom(50, 100, 150),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("code" as const),
      code: fc.constantFrom("X", "Y", "Z"),
    }),
  },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

async function perform(tx: Transaction, op: Operation): Promise<unknown> {
  switch (op.kind) {
    case "buy":
      return buy(tx, rules, { ...op, priceMinor: 100, idempotencyKey: op.key });
    case "ask":
      return quote(tx, rules, { ...op, idempotencyKey: op.key });
    case "cancel":
      return cancelOrder(tx, rules, op.userId, op.orderId);
    case "refuse":
      return refuseOrder(tx, 9, op.orderId, "why");
    case "price":
      return changeProduct(tx, op.sku, { priceMinor: op.priceMinor });
    case "code":
      return stockOf(tx).addCode("key", op.code, 0);
  }
}

/** As the queue would: a fault rolls it back, and it is tried again. */
async function performDurably(tables: InMemoryShopTables, op: Operation, failAtCall: number) {
  tables.failAtCall = failAtCall;
  try {
    return await tables.transaction((tx) => perform(tx, op));
  } catch (error) {
    if (!(error instanceof InjectedFault)) throw error;
    return tables.transaction((tx) => perform(tx, op));
  }
}

async function expectInvariants(tables: InMemoryShopTables, added: ReadonlySet<string>) {
  const { allOrders } = tables;
  const mugs = allOrders.filter((order) => order.sku === "mug" && order.status !== "cancelled");
  const keys = allOrders.filter((order) => order.sku === "key");
  await tables.read(async (tx) => {
    expect((await findOffer(tx, catalogue, "mug"))?.left).toBe(3 - mugs.length);
    const given = await Promise.all(keys.map(({ id }) => stockOf(tx).codeOfOrder(id)));
    expect(given).not.toContain(undefined);
    expect(new Set(given).size).toBe(keys.length);
    expect(await stockOf(tx).countFreeCodes("key")).toBe(added.size - keys.length);
  });
  // What was given cannot be taken back.
  expect(keys.every(({ status }) => status === "done")).toBe(true);
  expect(mugs.length).toBeLessThanOrEqual(3);
  for (const order of allOrders) {
    const ofOrder = tables.allEntries.filter(({ reference }) => reference === `order:${order.id}`);
    const sum = ofOrder.reduce((total, { amountMinor }) => total + amountMinor, 0);
    expect(sum).toBe(order.status === "cancelled" ? 0 : -order.priceMinor);
  }
}

test("P2: nothing is oversold and no code is given twice, whatever is done, repeated or interrupted", async () => {
  const history = fc.array(fc.tuple(operation, fc.nat({ max: 12 })), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(history, async (operations) => {
      const tables = new InMemoryShopTables();
      for (const id of [1, 2, 3]) await tables.transaction((tx) => openAccount(tx, id, 10_000));
      const added = new Set<string>();
      for (const [op, failAtCall] of operations) {
        await performDurably(tables, op, failAtCall);
        if (op.kind === "code") added.add(op.code);
        await expectInvariants(tables, added);
      }
    }),
    { numRuns: 150 },
  );
});

test("the table itself refuses less than nothing, and a code that is given again", async () => {
  const tables = new InMemoryShopTables();
  await tables.transaction(async (tx) => {
    await stockOf(tx).setStock("mug", { left: 1, fileCount: null });
    expect(await stockOf(tx).takeOne("mug", 1)).toBe(true);
    expect(await stockOf(tx).takeOne("mug", 2)).toBe(false);
    await stockOf(tx).addCode("key", "X", 0);
    expect(await stockOf(tx).giveCode("key", 1, 0)).toBe("X");
    expect(await stockOf(tx).giveCode("key", 2, 0)).toBeUndefined();
    await expect(stockOf(tx).setStock("mug", { left: -1, fileCount: null })).rejects.toThrow();
  });
});
