/** The shop on PostgreSQL: its operations have the same results as on the model that its own tests use. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transaction } from "../../../bot/core/transaction.ts";
import { openAccount, statement } from "../../../bot/shop/accounts.ts";
import { actsOn, noteAct } from "../../../bot/shop/admin/acts.ts";
import { book, refuseOrder } from "../../../bot/shop/admin/desk.ts";
import { annotateOrder, buy, cancelOrder, ordersPage } from "../../../bot/shop/orders.ts";
import { setBlocked } from "../../../bot/shop/people/standing.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";
import { askRefund, creditPayment, recordRefund } from "../../../bot/shop/stars/topups.ts";
import { listOffers, setStock } from "../../../bot/shop/stock/offers.ts";
import { stockOf } from "../../../bot/shop/stock/stock-tables.ts";
import { addWords, ticketsOf } from "../../../bot/shop/support/ticket-tables.ts";
import { InMemoryShopTables } from "../../shop/in-memory-shop-tables.ts";
import {
  exampleCatalogue,
  rules,
  starOptions,
  welcomeBalanceMinor,
} from "../../shop/shop-setup.ts";
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
  fc
    .tuple(userId, fc.constantFrom("x", "y"), fc.constantFrom("XTR", "EUR"), fc.nat({ max: 2 }))
    .map(([id, charge, currency, what]) => (tx: Transaction) => {
      const payment = {
        chargeId: `${id}-${charge}`,
        userId: id,
        currency,
        total: 50,
        payload: "?",
      };
      if (what === 0) return creditPayment(tx, creditRules, payment);
      return what === 1 ? askRefund(tx, payment.chargeId, 9) : recordRefund(tx, payment);
    }),
  fc.tuple(userId, fc.integer({ min: -9_000, max: 9_000 }).filter(Boolean)).map(
    ([id, amount]) =>
      (tx: Transaction) =>
        book(tx, 9, id, amount, "a reason"),
  ),
  fc.nat({ max: 6 }).map((order) => (tx: Transaction) => refuseOrder(tx, 9, order, "no")),
  fc.tuple(userId, fc.boolean()).map(
    ([id, blocked]) =>
      (tx: Transaction) =>
        setBlocked(tx, id, blocked),
  ),
  fc
    .tuple(fc.constantFrom(...exampleCatalogue.products), fc.nat({ max: 2 }))
    .map(([product, left]) => async (tx: Transaction) => {
      await setStock(tx, product, left);
      const added = await stockOf(tx).addCode(product.sku, `code ${left}`, tx.nowEpochMs);
      return [added, await listOffers(tx, exampleCatalogue)];
    }),
  userId.map((id) => async (tx: Transaction) => {
    const tickets = ticketsOf(tx);
    const ticket = (await tickets.openTicketOf(id)) ?? (await tickets.openTicket(id, "en", 5));
    await addWords(tx, { ticketId: ticket.id, adminId: undefined, words: "help", atEpochMs: 6 });
    if (ticket.id % 2 === 0) await tickets.closeTicket(ticket.id, 7);
    return [ticket, await tickets.wordsWith(id, 3)];
  }),
  userId.map((id) => async (tx: Transaction) => [
    await noteAct(tx, { adminId: 9, kind: "tell-buyer", userId: id, subject: "x", reason: "y" }),
    await actsOn(tx, id, 4),
    await shopOf(tx).figures(0),
    await shopOf(tx).ordersToFulfil(0, 2),
  ]),
);

const creditRules = { ...starOptions, welcomeBalanceMinor };

test.skipIf(noPostgres)(
  `any operations of the shop have the results they should have${orSkipped}`,
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 10, maxLength: 40 }),
        async (operations) => {
          const clock = new ManualClock();
          const store = await createPostgresStore({ schema: makeSchema(), clock });
          await store.open();
          const model = new InMemoryShopTables();
          model.nowEpochMs = clock.epochMs();
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

test.skipIf(noPostgres)(
  `what must not change is refused by the tables there, too${orSkipped}`,
  async () => {
    const schema = makeSchema();
    const store = await createPostgresStore({ schema, clock: new ManualClock() });
    await store.open();
    await store.transaction((tx) => openAccount(tx, 1, welcomeBalanceMinor));
    await store.transaction(async (tx) => {
      await noteAct(tx, { adminId: 9, kind: "block", userId: 1 });
      await stockOf(tx).addCode("a", "code", 0);
      await stockOf(tx).giveCode("a", 1, 0);
      await stockOf(tx).setStock("a", { left: 1, fileCount: null });
    });
    for (const [forgery, refusal] of [
      ["UPDATE #.ledger SET amount_minor = 1", "append-only"],
      ["DELETE FROM #.ledger", "append-only"],
      ["UPDATE #.acts SET kind = 'x'", "stay as they are"],
      ["DELETE FROM #.acts", "are kept"],
      ["UPDATE #.codes SET order_id = 2", "given once"],
      ["DELETE FROM #.codes", "are kept"],
      ["UPDATE #.stock SET left_count = -1", "check constraint"],
    ] as const) {
      await expect(byHand(forgery.replace("#", schema))).rejects.toThrow(refusal);
    }
  },
);
