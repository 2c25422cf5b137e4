/**
 * In-memory shop tables: fakes the shop's store, with roll-back and faults on demand.
 *
 * It keeps the contract's uniqueness rules; a transaction that throws leaves no trace.
 */
import type { Documents, ListOptions } from "../../bot/core/documents.ts";
import type { TableSet, Transaction } from "../../bot/core/transaction.ts";
import { shop } from "../../bot/shop/module.ts";
import { shopTables } from "../../bot/shop/sqlite-tables.ts";
import type {
  Account,
  Figures,
  LedgerEntry,
  NewOrder,
  Order,
  Page,
  Profile,
  ShopTables,
} from "../../bot/shop/tables.ts";
import { SqlTables } from "./sql-tables.ts";

interface Rows {
  readonly accounts: Map<number, Account>;
  readonly profiles: Map<number, Profile>;
  readonly entries: LedgerEntry[];
  readonly orders: Order[];
  /** JSON by collection and key. */
  readonly documents: Map<string, string>;
}

/** The error that `failAtCall` causes. */
export class InjectedFault extends Error {}

export class InMemoryShopTables implements ShopTables {
  nowEpochMs = Date.UTC(2026, 0, 1);
  /** The number of the table call that throws in the next transaction, from 1. */
  failAtCall: number | undefined;
  /** Chats for which the deletion of dead letters was requested. */
  readonly forgottenChats: number[] = [];
  readonly documents: Documents = {
    get: async <T>(collection: string, key: string) => {
      this.#count();
      const text = this.#rows.documents.get(`${collection}/${key}`);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    put: async (collection, key, value) => {
      this.#count();
      this.#rows.documents.set(`${collection}/${key}`, JSON.stringify(value));
    },
    delete: async (collection, key) => {
      this.#count();
      return this.#rows.documents.delete(`${collection}/${key}`);
    },
    list: async <T>(collection: string, { prefix = "" }: ListOptions = {}) => {
      const start = `${collection}/`;
      const found = [...this.#rows.documents].filter(([key]) => key.startsWith(start + prefix));
      return found.map(([key, text]) => ({
        key: key.slice(start.length),
        value: JSON.parse(text) as T,
      }));
    },
  };
  /** The tables of the shop's other sets, beside its own, which their statements join. */
  readonly sql = new SqlTables(shop.tables ?? []);
  #rows: Rows = {
    accounts: new Map(),
    profiles: new Map(),
    entries: [],
    orders: [],
    documents: new Map(),
  };
  #calls = 0;

  get allEntries(): readonly LedgerEntry[] {
    return this.#rows.entries;
  }

  get allOrders(): readonly Order[] {
    return this.#rows.orders;
  }

  get allAccounts(): readonly Account[] {
    return [...this.#rows.accounts.values()];
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const before = structuredClone(this.#rows);
    this.#calls = 0;
    this.sql.begin();
    let kept = false;
    try {
      const result = await work({
        tables: <Tables extends object>(set: TableSet<Tables>) =>
          (set as object) === shopTables
            ? (this as unknown as Tables)
            : this.sql.tables(set, () => this.#count()),
        documents: this.documents,
        lock: async () => {},
        messages: { find: async () => ({ kind: "unknown" }), cancel: async () => false },
        deleteDeadLetters: async (chatId) => this.forgottenChats.push(chatId),
        nowEpochMs: this.nowEpochMs,
      });
      kept = true;
      return result;
    } catch (error) {
      this.#rows = before;
      throw error;
    } finally {
      this.sql.end(kept);
      this.failAtCall = undefined;
    }
  }

  /** A transaction that faults do not meet. */
  async read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { failAtCall } = this;
    this.failAtCall = undefined;
    const result = await this.transaction(work);
    this.failAtCall = failAtCall;
    return result;
  }

  /** The keys of all documents, without their collections. */
  get documentKeys(): readonly string[] {
    return [...this.#rows.documents.keys()].map((key) => key.replace(/^[^/]*\//, ""));
  }

  async findAccount(userId: number): Promise<Account | undefined> {
    this.#count();
    return this.#rows.accounts.get(userId);
  }

  async insertAccount(account: Account): Promise<boolean> {
    this.#count();
    if (this.#rows.accounts.has(account.userId)) return false;
    this.#rows.accounts.set(account.userId, account);
    return true;
  }

  async findProfile(userId: number): Promise<Profile | undefined> {
    this.#count();
    return this.#rows.profiles.get(userId);
  }

  async setProfile(userId: number, profile: Profile | undefined): Promise<void> {
    this.#count();
    if (profile && this.#rows.accounts.has(userId)) this.#rows.profiles.set(userId, profile);
    else this.#rows.profiles.delete(userId);
  }

  async findByUsername(username: string): Promise<readonly number[]> {
    this.#count();
    const wanted = username.toLowerCase();
    const found = [...this.#rows.profiles].filter(([, p]) => p.username?.toLowerCase() === wanted);
    return found.map(([userId]) => userId);
  }

  async setOrderNote(orderId: number, note: string | undefined): Promise<void> {
    this.#count();
    const order = this.#rows.orders[orderId - 1];
    if (order) this.#rows.orders[orderId - 1] = { ...order, note };
  }

  async deleteOrderNotes(userId: number): Promise<number> {
    this.#count();
    let deleted = 0;
    for (const [index, order] of this.#rows.orders.entries()) {
      if (order.userId !== userId || order.note === undefined) continue;
      this.#rows.orders[index] = { ...order, note: undefined };
      deleted++;
    }
    return deleted;
  }

  async balanceMinor(userId: number): Promise<number> {
    this.#count();
    return this.#entriesOf(userId).reduce((sum, entry) => sum + entry.amountMinor, 0);
  }

  async appendLedgerEntry(entry: Omit<LedgerEntry, "id">): Promise<boolean> {
    this.#count();
    const { entries } = this.#rows;
    if (entries.some((e) => e.kind === entry.kind && e.reference === entry.reference)) return false;
    entries.push({ ...entry, id: entries.length + 1 });
    return true;
  }

  async ledgerEntries(userId: number, limit: number): Promise<readonly LedgerEntry[]> {
    this.#count();
    return this.#entriesOf(userId).toReversed().slice(0, limit);
  }

  async findOrder(orderId: number): Promise<Order | undefined> {
    this.#count();
    return this.#rows.orders[orderId - 1];
  }

  async findOrderByKey(idempotencyKey: string): Promise<Order | undefined> {
    this.#count();
    return this.#rows.orders.find((order) => order.idempotencyKey === idempotencyKey);
  }

  async insertOrder(wish: NewOrder): Promise<Order> {
    this.#count();
    const { orders } = this.#rows;
    if (orders.some((order) => order.idempotencyKey === wish.idempotencyKey)) {
      throw new Error("idempotency key is not unique");
    }
    const id = orders.length + 1;
    const order: Order = {
      ...wish,
      id,
      status: "paid",
      cancelledAtEpochMs: undefined,
      note: undefined,
    };
    orders.push(order);
    return order;
  }

  async cancelOrder(orderId: number, cancelledAtEpochMs: number): Promise<boolean> {
    this.#count();
    const order = this.#rows.orders[orderId - 1];
    if (order?.status !== "paid") return false;
    this.#rows.orders[orderId - 1] = { ...order, status: "cancelled", cancelledAtEpochMs };
    return true;
  }

  async completeOrder(orderId: number): Promise<boolean> {
    this.#count();
    const order = this.#rows.orders[orderId - 1];
    if (order?.status !== "paid") return false;
    this.#rows.orders[orderId - 1] = { ...order, status: "done" };
    return true;
  }

  async ordersToFulfil(offset: number, limit: number): Promise<Page<Order>> {
    this.#count();
    const paid = this.#rows.orders.filter(({ status }) => status === "paid");
    return { items: paid.slice(offset, offset + limit), total: paid.length };
  }

  async figures(sinceEpochMs: number): Promise<Figures> {
    this.#count();
    const recent = <T extends { readonly createdAtEpochMs: number }>(rows: Iterable<T>) =>
      [...rows].filter(({ createdAtEpochMs }) => createdAtEpochMs >= sinceEpochMs);
    const moved = recent(this.#rows.entries).filter(({ kind }) => /^(purchase|refund)$/.test(kind));
    return {
      turnoverMinor: 0 - moved.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
      orders: moved.filter(({ kind }) => kind === "purchase").length,
      newPeople: recent(this.#rows.accounts.values()).length,
    };
  }

  async orders(userId: number, offset: number, limit: number): Promise<Page<Order>> {
    this.#count();
    const orders = this.#rows.orders.filter((order) => order.userId === userId).toReversed();
    return { items: orders.slice(offset, offset + limit), total: orders.length };
  }

  #entriesOf(userId: number): LedgerEntry[] {
    return this.#rows.entries.filter((entry) => entry.userId === userId);
  }

  #count(): void {
    this.#calls += 1;
    if (this.#calls === this.failAtCall) throw new InjectedFault(`at call ${this.#calls}`);
  }
}
