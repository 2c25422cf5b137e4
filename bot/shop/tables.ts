/**
 * Shop tables: what the shop keeps, inside a transaction.
 *
 * Amounts are integers in minor units (cents). The ledger is append-only; an account's balance is
 * the sum of its entries and is never stored beside them as a truth of its own.
 */

export interface Account {
  readonly userId: number;
  readonly createdAtEpochMs: number;
}

/** What Telegram says of a person. Encrypted at rest, and gone when the person asks for that. */
export interface Profile {
  readonly firstName: string;
  /** Without the @. */
  readonly username?: string | undefined;
  /** IETF tag. */
  readonly languageCode?: string | undefined;
}

export type LedgerKind = "welcome" | "purchase" | "refund";

export interface LedgerEntry {
  readonly id: number;
  readonly userId: number;
  /** Minor units; positive into the account, negative out of it. */
  readonly amountMinor: number;
  readonly kind: LedgerKind;
  /** What it belongs to. Unique with `kind`: the second entry of the same cause is refused. */
  readonly reference: string;
  readonly createdAtEpochMs: number;
}

export type OrderStatus = "paid" | "cancelled";

export interface Order {
  readonly id: number;
  readonly userId: number;
  readonly sku: string;
  readonly priceMinor: number;
  readonly status: OrderStatus;
  /** Unique: the same wish pressed twice is one order. */
  readonly idempotencyKey: string;
  readonly createdAtEpochMs: number;
  readonly cancelledAtEpochMs: number | undefined;
  /** What its owner wrote on it. Encrypted at rest. */
  readonly note: string | undefined;
}

/** An order to be placed. */
export type NewOrder = Omit<Order, "id" | "cancelledAtEpochMs" | "note" | "status">;

/** One page of a newest-first list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
}

export interface ShopTables {
  findAccount(userId: number): Promise<Account | undefined>;
  /** @returns false when the account exists already. */
  insertAccount(account: Account): Promise<boolean>;
  findProfile(userId: number): Promise<Profile | undefined>;
  /** Keeps it with an account there is; `undefined` removes it. */
  setProfile(userId: number, profile: Profile | undefined): Promise<void>;
  /** Ids of the accounts whose profile has this username, in any case. */
  findByUsername(username: string): Promise<readonly number[]>;
  balanceMinor(userId: number): Promise<number>;
  /** @returns false when an entry of this kind and reference exists already. */
  appendLedgerEntry(entry: Omit<LedgerEntry, "id">): Promise<boolean>;
  /** Newest first. */
  ledgerEntries(userId: number, limit: number): Promise<readonly LedgerEntry[]>;
  findOrder(orderId: number): Promise<Order | undefined>;
  findOrderByKey(idempotencyKey: string): Promise<Order | undefined>;
  insertOrder(order: NewOrder): Promise<Order>;
  /** @returns false when it was not in status `paid`. */
  cancelOrder(orderId: number, cancelledAtEpochMs: number): Promise<boolean>;
  /** `undefined` removes the note. */
  setOrderNote(orderId: number, note: string | undefined): Promise<void>;
  /** Removes every note of a user. @returns how many there were. */
  deleteOrderNotes(userId: number): Promise<number>;
  /** Newest first. */
  orders(userId: number, offset: number, limit: number): Promise<Page<Order>>;
}
