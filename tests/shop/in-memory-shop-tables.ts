/**
 * In-memory shop tables: fakes the shop's store, with roll-back and faults on demand.
 *
 * It keeps the contract's uniqueness rules; a transaction that throws leaves no trace.
 */
import type { Documents, ListOptions } from "../../bot/core/documents.ts";
import type { Transaction } from "../../bot/core/transaction.ts";
import type {
  Account,
  LedgerEntry,
  NewOrder,
  Order,
  Page,
  Profile,
  ShopTables,
} from "../../bot/shop/tables.ts";

interface Rows {
  readonly accounts: Map<number, Account>;
  readonly profiles: Map<number, Profile>;
  readonly entries: LedgerEntry[];
  readonly orders: Order[];
}

/** The error that `failAtCall` causes. */
export class InjectedFault extends Error {}

export class InMemoryShopTables implements ShopTables {
  nowEpochMs = Date.UTC(2026, 0, 1);
  /** The number of the table call that throws in the next transaction, from 1. */
  failAtCall: number | undefined;
  /** Chats for which the deletion of dead letters was requested. */
  readonly forgottenChats: number[] = [];
  /** Holds no documents; a test may put some there by key. */
  readonly documentKeys = new Set<string>();
  readonly documents: Documents = {
    get: async () => undefined,
    put: async (_, key) => void this.documentKeys.add(key),
    delete: async (_, key) => this.documentKeys.delete(key),
    list: async <T>(_: string, { prefix = "" }: ListOptions = {}) =>
      [...this.documentKeys]
        .filter((key) => key.startsWith(prefix))
        .map((key) => ({ key, value: undefined as T })),
  };
  #rows: Rows = { accounts: new Map(), profiles: new Map(), entries: [], orders: [] };
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
    try {
      return await work({
        tables: <Tables>() => this as unknown as Tables,
        documents: this.documents,
        lock: async () => {},
        deleteDeadLetters: async (chatId) => this.forgottenChats.push(chatId),
        nowEpochMs: this.nowEpochMs,
      });
    } catch (error) {
      this.#rows = before;
      throw error;
    } finally {
      this.failAtCall = undefined;
    }
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
