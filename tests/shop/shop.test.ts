/** Accounts and orders: single behaviours of the shop. */
import { expect, test } from "vitest";
import { openAccount, statement } from "../../bot/shop/accounts.ts";
import { post } from "../../bot/shop/ledger.ts";
import { buy, cancelOrder, orderDetail, orderOfWish, ordersPage } from "../../bot/shop/orders.ts";
import { InMemoryShopTables } from "./in-memory-shop-tables.ts";
import { dayMs, rules, welcomeBalanceMinor } from "./shop-setup.ts";

const ada = 1001;
const bob = 1002;

async function setup() {
  const tables = new InMemoryShopTables();
  for (const userId of [ada, bob]) {
    await tables.transaction((tx) => openAccount(tx, userId, welcomeBalanceMinor));
  }
  const wish = { userId: ada, sku: "latte", priceMinor: 1250, idempotencyKey: "k1" };
  const buyLatte = (idempotencyKey = "k1") =>
    tables.transaction((tx) => buy(tx, rules, { ...wish, idempotencyKey }));
  const balanceMinor = (userId: number) => tables.balanceMinor(userId);
  return { tables, wish, buyLatte, balanceMinor };
}

test("opening an account again grants nothing", async () => {
  const { tables, balanceMinor } = await setup();
  const opened = await tables.transaction((tx) => openAccount(tx, ada, welcomeBalanceMinor));
  expect(opened).toBe(false);
  expect(await balanceMinor(ada)).toBe(5000);
});

test("an account can begin with a balance of zero", async () => {
  const tables = new InMemoryShopTables();
  expect(await tables.transaction((tx) => openAccount(tx, 7, 0))).toBe(true);
  expect(tables.allEntries).toEqual([]);
});

test("a purchase debits its price once and returns the new balance", async () => {
  const { buyLatte, balanceMinor } = await setup();
  expect(await buyLatte()).toMatchObject({ kind: "bought", balanceMinor: 3750 });
  expect(await buyLatte()).toMatchObject({ kind: "already-bought", detail: { order: { id: 1 } } });
  expect(await balanceMinor(ada)).toBe(3750);
});

test("the same key used by another user is a separate wish", async () => {
  const { tables, wish, buyLatte, balanceMinor } = await setup();
  await buyLatte();
  const result = await tables.transaction((tx) => buy(tx, rules, { ...wish, userId: bob }));
  expect(result).toMatchObject({ kind: "bought", detail: { order: { userId: bob } } });
  expect(await balanceMinor(ada)).toBe(3750);
  expect(await balanceMinor(bob)).toBe(3750);
});

test.each([
  { wish: { sku: "unicorn" }, result: { kind: "unknown-product" } },
  { wish: { priceMinor: 1249 }, result: { kind: "price-changed", priceMinor: 1250 } },
  {
    wish: { sku: "tea-set", priceMinor: 12800 },
    result: { kind: "insufficient-balance", priceMinor: 12800, balanceMinor: 5000 },
  },
])("a wish that cannot be fulfilled buys nothing: $result.kind", async ({ wish, result }) => {
  const { tables, wish: latte } = await setup();
  const bought = await tables.transaction((tx) => buy(tx, rules, { ...latte, ...wish }));
  expect(bought).toEqual(result);
  expect(tables.allOrders).toEqual([]);
});

test("the last cent can be spent, but not one more", async () => {
  const { tables, wish, buyLatte, balanceMinor } = await setup();
  for (const key of ["a", "b", "c", "d"]) await buyLatte(key);
  expect(await balanceMinor(ada)).toBe(0);
  const fifth = await tables.transaction((tx) => buy(tx, rules, { ...wish, idempotencyKey: "e" }));
  expect(fifth).toMatchObject({ kind: "insufficient-balance", balanceMinor: 0 });
});

test("an order is refunded once, within its window", async () => {
  const { tables, buyLatte, balanceMinor } = await setup();
  await buyLatte();
  tables.nowEpochMs += dayMs;
  const cancel = () => tables.transaction((tx) => cancelOrder(tx, rules, ada, 1));
  expect(await cancel()).toMatchObject({
    kind: "cancelled",
    balanceMinor: 5000,
    detail: { order: { status: "cancelled" }, cancellableUntilEpochMs: null },
  });
  expect(await cancel()).toMatchObject({ kind: "already-cancelled" });
  expect(await balanceMinor(ada)).toBe(5000);
});

test("an order is not refunded after its window", async () => {
  const { tables, buyLatte, balanceMinor } = await setup();
  await buyLatte();
  tables.nowEpochMs += dayMs + 1;
  const result = await tables.transaction((tx) => cancelOrder(tx, rules, ada, 1));
  expect(result).toMatchObject({ kind: "too-late", detail: { order: { status: "paid" } } });
  expect(await balanceMinor(ada)).toBe(3750);
});

test("another user's order can be neither seen nor cancelled", async () => {
  const { tables, buyLatte } = await setup();
  await buyLatte();
  const seen = await tables.transaction((tx) => orderDetail(tx, rules, bob, 1));
  const wish = await tables.transaction((tx) => orderOfWish(tx, rules, bob, "k1"));
  const cancelled = await tables.transaction((tx) => cancelOrder(tx, rules, bob, 1));
  expect([seen, wish, cancelled]).toEqual([undefined, undefined, { kind: "not-found" }]);
});

test("a page beyond the end is the last one", async () => {
  const { tables, buyLatte } = await setup();
  for (const key of ["a", "b", "c"]) await buyLatte(key);
  const page = await tables.transaction((tx) => ordersPage(tx, ada, 99, 2));
  expect(page).toMatchObject({ pageIndex: 1, pages: 2, total: 3 });
  expect(page.orders.map((order) => order.id)).toEqual([1]);
});

test("a user without orders has one empty page", async () => {
  const { tables } = await setup();
  const page = await tables.transaction((tx) => ordersPage(tx, ada, 3, 5));
  expect(page).toEqual({ orders: [], pageIndex: 0, pages: 1, total: 0 });
});

test("a statement lists the newest entry first", async () => {
  const { tables, buyLatte } = await setup();
  await buyLatte();
  const { balanceMinor, entries } = await tables.transaction((tx) => statement(tx, ada, 10));
  expect(balanceMinor).toBe(3750);
  expect(entries.map((entry) => entry.amountMinor)).toEqual([-1250, 5000]);
});

test.each([0, 0.5, -5001, Number.MAX_SAFE_INTEGER, Number.NaN])(
  "the ledger refuses a posting of %s",
  async (amountMinor) => {
    const { tables } = await setup();
    const posting = { userId: ada, amountMinor, kind: "refund", reference: "order:9" } as const;
    await expect(tables.transaction((tx) => post(tx, posting))).rejects.toThrow();
    expect(tables.allEntries).toHaveLength(2);
  },
);
