/** The shop's invariants hold under any order of operations, repetitions and faults. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transaction } from "../../bot/core/transaction.ts";
import { openAccount } from "../../bot/shop/accounts.ts";
import { buy, cancelOrder } from "../../bot/shop/orders.ts";
import { InjectedFault, InMemoryShopTables } from "./in-memory-shop-tables.ts";
import { dayMs, exampleCatalogue, rules, welcomeBalanceMinor } from "./shop-setup.ts";

const userId = fc.constantFrom(1, 2, 3);
const product = fc.constantFrom(...exampleCatalogue.products);

const operation = fc.oneof(
  fc.record({ kind: fc.constant("open" as const), userId }),
  fc.record({
    kind: fc.constant("buy" as const),
    userId,
    product,
    // There are few keys, so they repeat: by the same user, by another one, for another product.
    key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    stalePrice: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  }),
  fc.record({ kind: fc.constant("cancel" as const), userId, orderId: fc.nat({ max: 8 }) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: dayMs }) }),
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function perform(tx: Transaction, op: Exclude<Operation, { kind: "wait" }>): Promise<unknown> {
  switch (op.kind) {
    case "open":
      return openAccount(tx, op.userId, welcomeBalanceMinor);
    case "buy": {
      const { sku, priceMinor } = op.product;
      return buy(tx, rules, {
        userId: op.userId,
        sku,
        priceMinor: op.stalePrice ? priceMinor - 1 : priceMinor,
        idempotencyKey: op.key,
      });
    }
    case "cancel":
      return cancelOrder(tx, rules, op.userId, op.orderId);
  }
}

/** Performs an operation as the queue would: a fault rolls it back, and it is tried again. */
async function performDurably(tables: InMemoryShopTables, op: Operation, failAtCall: number) {
  if (op.kind === "wait") {
    tables.nowEpochMs += op.ms;
    return;
  }
  tables.failAtCall = failAtCall;
  try {
    await tables.transaction((tx) => perform(tx, op));
  } catch (error) {
    if (!(error instanceof InjectedFault)) throw error;
    await tables.transaction((tx) => perform(tx, op));
  }
}

function expectInvariants(tables: InMemoryShopTables) {
  const { allEntries, allOrders, allAccounts } = tables;
  const balances = new Map<number, number>();
  for (const entry of allEntries) {
    const balance = (balances.get(entry.userId) ?? 0) + entry.amountMinor;
    balances.set(entry.userId, balance);
    expect(Number.isSafeInteger(balance)).toBe(true);
    // This holds not only at the end: no prefix of the ledger is overdrawn.
    expect(balance).toBeGreaterThanOrEqual(0);
  }
  const amounts = (kind: string, reference: string) =>
    allEntries
      .filter((entry) => entry.kind === kind && entry.reference === reference)
      .map((entry) => [entry.userId, entry.amountMinor]);
  for (const account of allAccounts) {
    const welcome = [[account.userId, welcomeBalanceMinor]];
    expect(amounts("welcome", `user:${account.userId}`)).toEqual(welcome);
  }
  for (const order of allOrders) {
    const debit = [[order.userId, -order.priceMinor]];
    const refund = order.status === "cancelled" ? [[order.userId, order.priceMinor]] : [];
    expect(amounts("purchase", `order:${order.id}`)).toEqual(debit);
    expect(amounts("refund", `order:${order.id}`)).toEqual(refund);
  }
  const cancelled = allOrders.filter((order) => order.status === "cancelled").length;
  expect(allEntries).toHaveLength(allAccounts.length + allOrders.length + cancelled);
  expect(new Set(allOrders.map((order) => order.idempotencyKey)).size).toBe(allOrders.length);
}

test("P2: the ledger stays right whatever is done, repeated, interrupted or retried", async () => {
  const faultyOperation = fc.tuple(operation, fc.nat({ max: 7 }));
  await fc.assert(
    fc.asyncProperty(fc.array(faultyOperation, { maxLength: 40 }), async (operations) => {
      const tables = new InMemoryShopTables();
      for (const [op, failAtCall] of operations) {
        await performDurably(tables, op, failAtCall);
        expectInvariants(tables);
      }
    }),
    { numRuns: 500 },
  );
});

test("P2: an operation done twice in a row changes nothing the second time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
      const once = new InMemoryShopTables();
      const twice = new InMemoryShopTables();
      for (const op of operations) {
        await performDurably(once, op, 0);
        await performDurably(twice, op, 0);
        if (op.kind !== "wait") await performDurably(twice, op, 0);
      }
      expect(twice.allEntries).toEqual(once.allEntries);
      expect(twice.allOrders).toEqual(once.allOrders);
    }),
    { numRuns: 300 },
  );
});
