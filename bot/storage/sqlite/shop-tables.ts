/** Shop tables in SQLite: accounts, the append-only ledger, orders. */
import type {
  Account,
  LedgerEntry,
  LedgerKind,
  Order,
  OrderStatus,
  Profile,
  ShopTables,
} from "../../core/shop-tables.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { indexedUsername, places, usernameIndex } from "./sealed-columns.ts";
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
  /** Sealed. */
  readonly note: Uint8Array | null;
}

/** Promises are the contract's; here every one is settled when it is returned. */
export function createShopTables(database: Database, ring: KeyRing): ShopTables {
  const sql = prepare(database);
  const toOrder = (row: OrderRow | undefined) => row && openOrder(row, ring);
  return {
    ...profiles(database, ring),
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
      const inserted = sql.insertOrder.get<OrderRow>(
        order.userId,
        order.sku,
        order.priceMinor,
        order.idempotencyKey,
        order.createdAtEpochMs,
      );
      return openOrder(inserted as OrderRow, ring);
    },
    cancelOrder: async (orderId, cancelledAtEpochMs) =>
      sql.cancelOrder.run(cancelledAtEpochMs, orderId) > 0,
    setOrderNote: async (orderId, note) => {
      const sealed = note === undefined ? null : ring.seal(note, places.note(orderId));
      sql.setNote.run(sealed, orderId);
    },
    deleteOrderNotes: async (userId) => sql.deleteNotes.run(userId),
    orders: async (userId, offset, limit) => ({
      items: sql.listOrders.all<OrderRow>(userId, limit, offset).map((row) => openOrder(row, ring)),
      total: sql.countOrders.get<{ count: number }>(userId)?.count ?? 0,
    }),
  };
}

/** Accounts whose profile has this username, in any case. */
export function findByUsername(database: Database, ring: KeyRing, username: string): number[] {
  const find = database.prepare("SELECT user_id FROM accounts WHERE username_index = ?");
  const indexes = ring.indexes(indexedUsername({ username }) ?? "", usernameIndex);
  const found = indexes.flatMap((index) => find.all<{ user_id: number }>(index));
  return found.map((row) => row.user_id);
}

function profiles(database: Database, ring: KeyRing) {
  const find = database.prepare("SELECT profile FROM accounts WHERE user_id = ?");
  const set = database.prepare(
    "UPDATE accounts SET profile = ?, username_index = ? WHERE user_id = ?",
  );
  return {
    findProfile: async (userId: number) => {
      const { profile } = find.get<{ profile: Uint8Array | null }>(userId) ?? {};
      if (!profile) return undefined;
      return JSON.parse(ring.open(profile, places.profile(userId))) as Profile;
    },
    setProfile: async (userId: number, profile: Profile | undefined) => {
      const sealed = profile && ring.seal(JSON.stringify(profile), places.profile(userId));
      const username = profile && indexedUsername(profile);
      const index = username === undefined ? [] : ring.indexes(username, usernameIndex);
      set.run(sealed ?? null, index[0] ?? null, userId);
    },
  } satisfies Partial<ShopTables>;
}

function prepare(database: Database) {
  const sql = (text: string) => database.prepare(text);
  return {
    findAccount: sql("SELECT created_at FROM accounts WHERE user_id = ?"),
    insertAccount: sql(
      "INSERT INTO accounts (user_id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
    ),
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
    setNote: sql("UPDATE orders SET note = ? WHERE id = ?"),
    deleteNotes: sql("UPDATE orders SET note = NULL WHERE user_id = ? AND note IS NOT NULL"),
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

function openOrder(row: OrderRow, ring: KeyRing): Order {
  return {
    id: row.id,
    userId: row.user_id,
    sku: row.sku,
    priceMinor: row.price_minor,
    status: row.status,
    idempotencyKey: row.idempotency_key,
    createdAtEpochMs: row.created_at,
    cancelledAtEpochMs: row.cancelled_at ?? undefined,
    note: row.note === null ? undefined : ring.open(row.note, places.note(row.id)),
  };
}
