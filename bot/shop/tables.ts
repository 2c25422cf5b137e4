/**
 * Shop tables: the contract for the shop's data, inside a transaction.
 *
 * Amounts are integers in minor units (cents). The ledger is append-only; an account's balance is
 * always the sum of its entries and is not stored separately.
 */

export interface Account {
  readonly userId: number;
  readonly createdAtEpochMs: number;
}

/** A person as Telegram describes them. Encrypted at rest, and deleted when the person asks. */
export interface Profile {
  readonly firstName: string;
  /** The username without the @. */
  readonly username?: string | undefined;
  /** An IETF language tag. */
  readonly languageCode?: string | undefined;
}

/** `credit` and `debit` are what an administrator books; their reference names the act (admin/acts.ts). */
export type LedgerKind =
  | "welcome"
  | "purchase"
  | "refund"
  | "topup"
  | "topup-refund"
  | "credit"
  | "debit";

export interface LedgerEntry {
  readonly id: number;
  readonly userId: number;
  /** Minor units; positive when money enters the account, negative when it leaves. */
  readonly amountMinor: number;
  readonly kind: LedgerKind;
  /** Names the cause. Unique together with `kind`: a second entry of the same cause is refused. */
  readonly reference: string;
  readonly createdAtEpochMs: number;
}

/** `done`: handed over, so it can no longer be cancelled. */
export type OrderStatus = "paid" | "done" | "cancelled";

export interface Order {
  readonly id: number;
  readonly userId: number;
  readonly sku: string;
  readonly priceMinor: number;
  readonly status: OrderStatus;
  /** Unique, so pressing the same wish twice makes one order. */
  readonly idempotencyKey: string;
  readonly createdAtEpochMs: number;
  readonly cancelledAtEpochMs: number | undefined;
  /** The owner's note. Encrypted at rest. */
  readonly note: string | undefined;
}

/** An order to place. */
export type NewOrder = Omit<Order, "id" | "cancelledAtEpochMs" | "note" | "status">;

/** One page of a newest-first list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
}

/** The shop's figures since an instant. */
export interface Figures {
  /** Money paid for orders, less refunds. */
  readonly turnoverMinor: number;
  readonly orders: number;
  readonly newPeople: number;
}

export interface ShopTables {
  findAccount(userId: number): Promise<Account | undefined>;
  /** @returns false when the account already exists. */
  insertAccount(account: Account): Promise<boolean>;
  findProfile(userId: number): Promise<Profile | undefined>;
  /** Stores the profile of an existing account; `undefined` removes it. */
  setProfile(userId: number, profile: Profile | undefined): Promise<void>;
  /** Returns the ids of accounts whose profile has this username, ignoring case. */
  findByUsername(username: string): Promise<readonly number[]>;
  balanceMinor(userId: number): Promise<number>;
  /** @returns false when an entry with this kind and reference already exists. */
  appendLedgerEntry(entry: Omit<LedgerEntry, "id">): Promise<boolean>;
  /** Returns ledger entries, newest first. */
  ledgerEntries(userId: number, limit: number): Promise<readonly LedgerEntry[]>;
  findOrder(orderId: number): Promise<Order | undefined>;
  findOrderByKey(idempotencyKey: string): Promise<Order | undefined>;
  insertOrder(order: NewOrder): Promise<Order>;
  /** @returns false when the order was not in status `paid`. */
  cancelOrder(orderId: number, cancelledAtEpochMs: number): Promise<boolean>;
  /** @returns false when the order was not in status `paid`. */
  completeOrder(orderId: number): Promise<boolean>;
  /** Returns orders in status `paid`, oldest first. */
  ordersToFulfil(offset: number, limit: number): Promise<Page<Order>>;
  figures(sinceEpochMs: number): Promise<Figures>;
  /** Sets a note; `undefined` removes it. */
  setOrderNote(orderId: number, note: string | undefined): Promise<void>;
  /** Removes every note of a user. @returns how many were removed. */
  deleteOrderNotes(userId: number): Promise<number>;
  /** Returns orders, newest first. */
  orders(userId: number, offset: number, limit: number): Promise<Page<Order>>;
}
