/** Shop tables in SQLite: accounts, the append-only ledger, orders. */
import type {
  Account,
  LedgerEntry,
  LedgerKind,
  Order,
  OrderStatus,
  ShopTables,
} from "../contracts/shop-tables.ts";
import type { Database } from "./sqlite-driver.ts";

interface LedgerRow {
  readonly id: number;
  readonly user_id: number;
  readonly amount_minor: number;
  readonly kind: LedgerKind;
  readonly reference: string;
  readonly created_at: number;
}

interface OrderRow {
  readonly id: number;
  readonly user_id: number;
  readonly sku: string;
  readonly price_minor: number;
  readonly status: OrderStatus;
  readonly idempotency_key: string;
  readonly created_at: number;
  readonly cancelled_at: number | null;
}

/** Promises are the contract's; here every one is settled when it is returned. */
export function createShopTables(database: Database): ShopTables {
  const sql = prepare(database);
  return {
    findAccount: async (userId) => {
      const row = sql.findAccount.get<{ created_at: number }>(userId);
      return row && { userId, createdAtEpochMs: row.created_at };
    },
    insertAccount: async (account: Account) =>
      sql.insertAccount.run(account.userId, account.createdAtEpochMs) > 0,
    balanceMinor: async (userId) => sql.balance.get<{ balance: number }>(userId)?.balance ?? 0,
    appendLedgerEntry: async (entry) =>
      sql.insertEntry.run(
        entry.userId,
        entry.amountMinor,
        entry.kind,
        entry.reference,
        entry.createdAtEpochMs,
      ) > 0,
    ledgerEntries: async (userId, limit) =>
      sql.listEntries.all<LedgerRow>(userId, limit).map(toLedgerEntry),
    findOrder: async (orderId) => toOrder(sql.findOrder.get<OrderRow>(orderId)),
    findOrderByKey: async (key) => toOrder(sql.findOrderByKey.get<OrderRow>(key)),
    insertOrder: async (order) => {
      const row = sql.insertOrder.get<OrderRow>(
        order.userId,
        order.sku,
        order.priceMinor,
        order.idempotencyKey,
        order.createdAtEpochMs,
      );
      return toOrder(row) as Order;
    },
    cancelOrder: async (orderId, cancelledAtEpochMs) =>
      sql.cancelOrder.run(cancelledAtEpochMs, orderId) > 0,
    orders: async (userId, offset, limit) => ({
      items: sql.listOrders
        .all<OrderRow>(userId, limit, offset)
        .map((row) => toOrder(row) as Order),
      total: sql.countOrders.get<{ count: number }>(userId)?.count ?? 0,
    }),
  };
}

function prepare(database: Database) {
  const sql = (text: string) => database.prepare(text);
  return {
    findAccount: sql("SELECT created_at FROM accounts WHERE user_id = ?"),
    insertAccount: sql("INSERT INTO accounts VALUES (?, ?) ON CONFLICT DO NOTHING"),
    balance: sql("SELECT COALESCE(sum(amount_minor), 0) AS balance FROM ledger WHERE user_id = ?"),
    insertEntry: sql(
      `INSERT INTO ledger (user_id, amount_minor, kind, reference, created_at)
       VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, reference) DO NOTHING`,
    ),
    listEntries: sql("SELECT * FROM ledger WHERE user_id = ? ORDER BY id DESC LIMIT ?"),
    findOrder: sql("SELECT * FROM orders WHERE id = ?"),
    findOrderByKey: sql("SELECT * FROM orders WHERE idempotency_key = ?"),
    insertOrder: sql(
      `INSERT INTO orders (user_id, sku, price_minor, status, idempotency_key, created_at)
       VALUES (?, ?, ?, 'paid', ?, ?) RETURNING *`,
    ),
    cancelOrder: sql(
      "UPDATE orders SET status = 'cancelled', cancelled_at = ? WHERE id = ? AND status = 'paid'",
    ),
    listOrders: sql("SELECT * FROM orders WHERE user_id = ? ORDER BY id DESC LIMIT ? OFFSET ?"),
    countOrders: sql("SELECT count(*) AS count FROM orders WHERE user_id = ?"),
  };
}

function toLedgerEntry(row: LedgerRow): LedgerEntry {
  return {
    id: row.id,
    userId: row.user_id,
    amountMinor: row.amount_minor,
    kind: row.kind,
    reference: row.reference,
    createdAtEpochMs: row.created_at,
  };
}

function toOrder(row: OrderRow): Order;
function toOrder(row: OrderRow | undefined): Order | undefined;
function toOrder(row: OrderRow | undefined): Order | undefined {
  return (
    row && {
      id: row.id,
      userId: row.user_id,
      sku: row.sku,
      priceMinor: row.price_minor,
      status: row.status,
      idempotencyKey: row.idempotency_key,
      createdAtEpochMs: row.created_at,
      cancelledAtEpochMs: row.cancelled_at ?? undefined,
    }
  );
}
