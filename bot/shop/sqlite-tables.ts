/** Shop tables: store accounts, the append-only ledger and orders. */
import type { Sealer, Sql, TableSet, Transaction } from "../core/transaction.ts";
import type {
  Account,
  LedgerEntry,
  LedgerKind,
  Order,
  OrderStatus,
  Profile,
  ShopTables,
} from "./tables.ts";

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
  /** The sealed note. */
  readonly note: Uint8Array | null;
}

/** Returns the shop's tables in this transaction. */
export function shopOf(tx: Transaction): ShopTables {
  return tx.tables(shopTables);
}

/** Names the blind index of usernames; its key is derived from the name. */
const usernameIndex = "accounts|username_index";

const places = {
  profile: (userId: number) => `accounts|profile|${userId}`,
  note: (orderId: number) => `orders|note|${orderId}`,
};

export const shopTables: TableSet<ShopTables> = {
  name: "shop",
  migrations: [
    {
      madeWhen: "SELECT 1 FROM sqlite_schema WHERE name = 'accounts'",
      sql: `
      CREATE TABLE accounts (user_id INTEGER PRIMARY KEY, created_at INTEGER NOT NULL);
      CREATE TABLE ledger (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL REFERENCES accounts (user_id),
        amount_minor INTEGER NOT NULL,
        kind TEXT NOT NULL,
        reference TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        UNIQUE (kind, reference)
      );
      CREATE INDEX ledger_of_user ON ledger (user_id, id);
      CREATE TRIGGER ledger_is_append_only_update BEFORE UPDATE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
      CREATE TRIGGER ledger_is_append_only_delete BEFORE DELETE ON ledger
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
      CREATE TABLE orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL REFERENCES accounts (user_id),
        sku TEXT NOT NULL,
        price_minor INTEGER NOT NULL,
        status TEXT NOT NULL,
        idempotency_key TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        cancelled_at INTEGER
      );
      CREATE INDEX orders_of_user ON orders (user_id, id);
      `,
      postgres: `
      CREATE TABLE accounts (user_id BIGINT PRIMARY KEY, created_at BIGINT NOT NULL);
      CREATE TABLE ledger (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id BIGINT NOT NULL REFERENCES accounts (user_id),
        amount_minor BIGINT NOT NULL,
        kind TEXT NOT NULL,
        reference TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        UNIQUE (kind, reference)
      );
      CREATE INDEX ledger_of_user ON ledger (user_id, id);
      CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
      CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
      CREATE TABLE orders (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id BIGINT NOT NULL REFERENCES accounts (user_id),
        sku TEXT NOT NULL,
        price_minor BIGINT NOT NULL,
        status TEXT NOT NULL,
        idempotency_key TEXT NOT NULL UNIQUE,
        created_at BIGINT NOT NULL,
        cancelled_at BIGINT
      );
      CREATE INDEX orders_of_user ON orders (user_id, id);
      `,
    },
    {
      madeWhen: "SELECT 1 FROM pragma_table_info('accounts') WHERE name = 'profile'",
      sql: `
      ALTER TABLE accounts ADD COLUMN profile BLOB;
      ALTER TABLE accounts ADD COLUMN username_index BLOB;
      CREATE INDEX accounts_by_username ON accounts (username_index) WHERE username_index IS NOT NULL;
      ALTER TABLE orders ADD COLUMN note BLOB;
      `,
    },
    {
      madeWhen: "SELECT 1 FROM sqlite_schema WHERE name = 'orders_to_fulfil'",
      sql: `
      CREATE INDEX orders_to_fulfil ON orders (id) WHERE status = 'paid';
      CREATE INDEX ledger_by_time ON ledger (created_at);
      CREATE INDEX accounts_by_time ON accounts (created_at);
      `,
    },
  ],
  sealedColumns: [
    {
      table: "accounts",
      column: "profile",
      key: ["user_id"],
      place: ([userId]) => places.profile(Number(userId)),
      index: {
        column: "username_index",
        name: usernameIndex,
        of: (profile) => indexedUsername(JSON.parse(profile)),
      },
    },
    {
      table: "orders",
      column: "note",
      key: ["id"],
      place: ([orderId]) => places.note(Number(orderId)),
    },
  ],
  amounts: [{ table: "ledger", column: "amount_minor" }],
  open: openShopTables,
};

function openShopTables(database: Sql, sealer: Sealer): ShopTables {
  const sql = prepare(database);
  const toOrder = (row: OrderRow | undefined) => row && openOrder(row, sealer);
  return {
    ...profiles(database, sealer),
    findAccount: async (userId) => {
      const row = await sql.findAccount.get<{ created_at: number }>(userId);
      return row && { userId, createdAtEpochMs: row.created_at };
    },
    insertAccount: async (account: Account) =>
      (await sql.insertAccount.run(account.userId, account.createdAtEpochMs)) > 0,
    balanceMinor: async (userId) =>
      (await sql.balance.get<{ balance: number }>(userId))?.balance ?? 0,
    appendLedgerEntry: async (entry) =>
      (await sql.insertEntry.run(
        entry.userId,
        entry.amountMinor,
        entry.kind,
        entry.reference,
        entry.createdAtEpochMs,
      )) > 0,
    ledgerEntries: async (userId, limit) =>
      (await sql.listEntries.all<LedgerRow>(userId, limit)).map(toLedgerEntry),
    findOrder: async (orderId) => toOrder(await sql.findOrder.get<OrderRow>(orderId)),
    findOrderByKey: async (key) => toOrder(await sql.findOrderByKey.get<OrderRow>(key)),
    insertOrder: async (order) => {
      const inserted = await sql.insertOrder.get<OrderRow>(
        order.userId,
        order.sku,
        order.priceMinor,
        order.idempotencyKey,
        order.createdAtEpochMs,
      );
      return openOrder(inserted as OrderRow, sealer);
    },
    cancelOrder: async (orderId, cancelledAtEpochMs) =>
      (await sql.cancelOrder.run(cancelledAtEpochMs, orderId)) > 0,
    completeOrder: async (orderId) => (await sql.completeOrder.run(orderId)) > 0,
    ordersToFulfil: async (offset, limit) => ({
      items: (await sql.listPaid.all<OrderRow>(limit, offset)).map((row) => openOrder(row, sealer)),
      total: (await sql.countPaid.get<{ count: number }>())?.count ?? 0,
    }),
    figures: async (sinceEpochMs) => ({
      turnoverMinor: (await sql.turnover.get<{ minor: number }>(sinceEpochMs))?.minor ?? 0,
      orders: (await sql.ordersSince.get<{ count: number }>(sinceEpochMs))?.count ?? 0,
      newPeople: (await sql.accountsSince.get<{ count: number }>(sinceEpochMs))?.count ?? 0,
    }),
    setOrderNote: async (orderId, note) => {
      const sealed = note === undefined ? null : sealer.seal(note, places.note(orderId));
      await sql.setNote.run(sealed, orderId);
    },
    deleteOrderNotes: async (userId) => sql.deleteNotes.run(userId),
    orders: async (userId, offset, limit) => ({
      items: (await sql.listOrders.all<OrderRow>(userId, limit, offset)).map((row) =>
        openOrder(row, sealer),
      ),
      total: (await sql.countOrders.get<{ count: number }>(userId))?.count ?? 0,
    }),
  };
}

/** Returns the lower-case username to index, because Telegram ignores case. */
function indexedUsername({ username }: { readonly username?: string | undefined }) {
  return username?.toLowerCase();
}

function profiles(database: Sql, sealer: Sealer) {
  const find = database.prepare("SELECT profile FROM accounts WHERE user_id = ?");
  const findByIndex = database.prepare("SELECT user_id FROM accounts WHERE username_index = ?");
  const set = database.prepare(
    "UPDATE accounts SET profile = ?, username_index = ? WHERE user_id = ?",
  );
  return {
    findProfile: async (userId: number) => {
      const { profile } = (await find.get<{ profile: Uint8Array | null }>(userId)) ?? {};
      if (!profile) return undefined;
      return JSON.parse(sealer.open(profile, places.profile(userId))) as Profile;
    },
    setProfile: async (userId: number, profile: Profile | undefined) => {
      const sealed = profile && sealer.seal(JSON.stringify(profile), places.profile(userId));
      const username = profile && indexedUsername(profile);
      const index = username === undefined ? [] : sealer.indexes(username, usernameIndex);
      await set.run(sealed ?? null, index[0] ?? null, userId);
    },
    findByUsername: async (username: string) => {
      const found: number[] = [];
      for (const index of sealer.indexes(username.toLowerCase(), usernameIndex)) {
        for (const row of await findByIndex.all<{ user_id: number }>(index))
          found.push(row.user_id);
      }
      return found;
    },
  } satisfies Partial<ShopTables>;
}

function prepare(database: Sql) {
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
    completeOrder: sql("UPDATE orders SET status = 'done' WHERE id = ? AND status = 'paid'"),
    listPaid: sql("SELECT * FROM orders WHERE status = 'paid' ORDER BY id LIMIT ? OFFSET ?"),
    countPaid: sql("SELECT count(*) AS count FROM orders WHERE status = 'paid'"),
    turnover: sql(
      `SELECT COALESCE(-sum(amount_minor), 0) AS minor FROM ledger
       WHERE created_at >= ? AND kind IN ('purchase', 'refund')`,
    ),
    ordersSince: sql(
      "SELECT count(*) AS count FROM ledger WHERE created_at >= ? AND kind = 'purchase'",
    ),
    accountsSince: sql("SELECT count(*) AS count FROM accounts WHERE created_at >= ?"),
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

function openOrder(row: OrderRow, sealer: Sealer): Order {
  return {
    id: row.id,
    userId: row.user_id,
    sku: row.sku,
    priceMinor: row.price_minor,
    status: row.status,
    idempotencyKey: row.idempotency_key,
    createdAtEpochMs: row.created_at,
    cancelledAtEpochMs: row.cancelled_at ?? undefined,
    note: row.note === null ? undefined : sealer.open(row.note, places.note(row.id)),
  };
}
