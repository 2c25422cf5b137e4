/** The shop on PostgreSQL: its operations have the same results as on the model that its own tests use. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transaction } from "../../../bot/core/transaction.ts";
import { openAccount, statement } from "../../../bot/shop/accounts.ts";
import { annotateOrder, buy, cancelOrder, ordersPage } from "../../../bot/shop/orders.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";
import { InMemoryShopTables } from "../../shop/in-memory-shop-tables.ts";
import { exampleCatalogue, rules, welcomeBalanceMinor } from "../../shop/shop-setup.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { byHand, noPostgres, orSkipped } from "../../support/postgres.ts";
import { createPostgresStore, makeSchema } from "../../support/postgres-store.ts";

const userId = fc.constantFrom(1, 2);

/** One operation; each gives what its caller would see. */
const operation: fc.Arbitrary<(tx: Transaction) => Promise<unknown>> = fc.oneof(
  userId.map((id) => (tx: Transaction) => openAccount(tx, id, welcomeBalanceMinor)),
  fc
    .tuple(
      userId,
      fc.constantFrom(...exampleCatalogue.products),
      fc.constantFrom("a", "b", "c", "d"),
    )
    .map(([id, { priceMinor, sku }, idempotencyKey]) => async (tx: Transaction) => {
      await openAccount(tx, id, welcomeBalanceMinor);
      return buy(tx, rules, { userId: id, sku, priceMinor, idempotencyKey });
    }),
  fc.tuple(userId, fc.nat({ max: 6 })).map(
    ([id, order]) =>
      (tx: Transaction) =>
        cancelOrder(tx, rules, id, order),
  ),
  fc.tuple(userId, fc.nat({ max: 6 }), fc.constantFrom("", "a note", "名")).map(
    ([id, order, note]) =>
      (tx: Transaction) =>
        annotateOrder(tx, rules, id, order, note),
  ),
  userId.map((id) => async (tx: Transaction) => [
    await statement(tx, id, 5),
    await ordersPage(tx, id, 0, 3),
  ]),
  userId.map((id) => async (tx: Transaction) => {
    await openAccount(tx, id, welcomeBalanceMinor);
    await shopOf(tx).setProfile(id, { firstName: "A", username: `Name${id}` });
    return [await shopOf(tx).findProfile(id), await shopOf(tx).findByUsername(`nAME${id}`)];
  }),
);

test.skipIf(noPostgres)(
  `any operations of the shop have the results they should have${orSkipped}`,
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 10, maxLength: 40 }),
        async (operations) => {
          const store = await createPostgresStore({
            schema: makeSchema(),
            clock: new ManualClock(),
          });
          await store.open();
          const model = new InMemoryShopTables();
          for (const perform of operations) {
            const expected = await model.transaction(perform);
            expect(await store.transaction(perform)).toEqual(expected);
          }
          await store.close();
        },
      ),
      { numRuns: 4 },
    );
  },
);

test.skipIf(noPostgres)(`the ledger is append-only there, too${orSkipped}`, async () => {
  const schema = makeSchema();
  const store = await createPostgresStore({ schema, clock: new ManualClock() });
  await store.open();
  await store.transaction((tx) => openAccount(tx, 1, welcomeBalanceMinor));
  for (const forgery of ["UPDATE # SET amount_minor = 1", "DELETE FROM #"]) {
    const forged = byHand(forgery.replace("#", `${schema}.ledger`));
    await expect(forged).rejects.toThrow("append-only");
  }
});
