/**
 * From database: reads from the bot's disk the updates it remembers, what waits, what was given up, and
 * the money.
 *
 * It knows the names of tables and columns, but no SQL: its caller reads the rows.
 */
import type { HistoryRecord } from "./history.ts";
import type { Finding } from "./verdict.ts";

export type Row = Readonly<Record<string, unknown>>;

/** All rows of a table, in order of id. */
export type ReadTable = (
  table: "accounts" | "dead_letters" | "dedupe" | "ledger" | "messages" | "orders",
) => readonly Row[];

export interface DatabaseNames {
  /** When the file was read, on the history's clock. */
  readonly at: number;
  /** The name of a send that waits or was given up, by its method and payload. */
  readonly reply: (method: string, payload: Readonly<Record<string, unknown>>) => string;
  /** Replies to a user whose update is given up. Default: none. */
  readonly lastWords?: readonly string[];
}

/** Covers storage and effects. An effect is named by kind and cause: `welcome:7`, `purchase:7:KEY`. */
export function historyFromDatabase(read: ReadTable, names: DatabaseNames): HistoryRecord[] {
  const { at } = names;
  const stored = read("dedupe").flatMap(({ key }): HistoryRecord[] => {
    const update = /^update:[^:]*:(.*)$/.exec(String(key))?.[1];
    // When it was stored is not known, so no confirmation can come before it.
    return update === undefined ? [] : [{ at: 0, kind: "stored", update }];
  });
  const causes = new Map(
    read("orders").map((order) => [`order:${order["id"]}`, String(order["idempotency_key"])]),
  );
  const effects = read("ledger").map((entry): HistoryRecord => {
    const reference = String(entry["reference"]);
    return {
      at,
      kind: "effect",
      chat: String(entry["user_id"]),
      effect: `${entry["kind"]}:${causes.get(reference) ?? reference.replace(/^user:/, "")}`,
      amountMinor: Number(entry["amount_minor"]),
    };
  });
  const left = (kind: "waiting" | "dead") => (row: Row) => recordOfMessage(kind, row, names);
  return [
    { at, kind: "covers", evidence: ["storage", "effects"] },
    ...stored,
    ...effects,
    ...read("dead_letters").filter(isOwed).map(left("dead")),
    ...read("messages").filter(isOwed).map(left("waiting")),
  ];
}

/** Tasks are no updates and no sends; what they do and send is judged by itself. */
function isOwed({ type }: Row): boolean {
  return type !== "task";
}

function recordOfMessage(kind: "waiting" | "dead", row: Row, names: DatabaseNames): HistoryRecord {
  const { at, lastWords, reply } = names;
  const chat = String(row["lane"]).replace(/^chat:/, "");
  const payload = JSON.parse(String(row["payload"])) as Record<string, unknown>;
  if (row["type"] === "update") {
    const update = String(payload["update_id"]);
    return { at, kind, chat, update, ...(kind === "dead" && lastWords && { replies: lastWords }) };
  }
  const call = payload["payload"] as Record<string, unknown>;
  return { at, kind, chat, reply: reply(String(payload["method"]), call) };
}

/** A send that was claimed and is not recorded as done: it may have been executed. */
export interface CallInHand {
  readonly chat: string;
  readonly method: string;
  /** As the sandbox's journal has them. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads the sends in hand. Call it while no process runs, or it tells only about one instant. */
export function sendsInHand(read: (table: "in_hand" | "messages") => readonly Row[]): CallInHand[] {
  const sends = read("in_hand").filter(({ pool }) => pool !== "handling");
  const inHand = new Set(sends.flatMap(({ ids }) => JSON.parse(String(ids)) as number[]));
  return read("messages")
    .filter(({ id }) => inHand.has(Number(id)))
    .map((row) => callOf(String(row["payload"])));
}

/** @param payload Of a message that sends. */
export function callOf(payload: string): CallInHand {
  const call = JSON.parse(payload) as {
    readonly method: string;
    readonly payload: Readonly<Record<string, unknown>>;
  };
  const parameters = Object.fromEntries(
    Object.entries(call.payload).map(([name, value]) => [name, toText(value)]),
  );
  return { chat: String(call.payload["chat_id"]), method: call.method, parameters };
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Checks the shop's books (P2): every order has a debit and every cancelled order a refund, both of the
 * order's price, and no money moves without a cause.
 */
export function checkBooks(read: ReadTable): Finding[] {
  const orders = new Map(read("orders").map((order) => [`order:${order["id"]}`, order]));
  const posted = new Set<string>();
  const findings: Finding[] = [];
  const find = (chat: unknown, where: string) =>
    findings.push({ promise: "P2", what: "books-differ", chat: String(chat), where });
  for (const { amount_minor: amount, kind, reference, user_id: user } of read("ledger")) {
    const name = `${kind} of ${reference}`;
    if (posted.has(name)) find(user, `${name} was posted twice`);
    posted.add(name);
    // The others have no order: a welcome balance, and what an administrator books.
    if (kind !== "purchase" && kind !== "refund") continue;
    const order = orders.get(String(reference));
    const price = Number(order?.["price_minor"]);
    if (!order) find(user, `${name} has no order`);
    else if (order["user_id"] !== user) find(user, `${name} is another user's`);
    else if (Number(amount) !== (kind === "refund" ? price : -price)) {
      find(user, `${name} moves ${amount} at a price of ${price}`);
    }
  }
  for (const [reference, { status, user_id: user }] of orders) {
    if (!posted.has(`purchase of ${reference}`)) find(user, `${reference} was never paid`);
    if (posted.has(`refund of ${reference}`) !== (status === "cancelled")) {
      find(user, `${reference} is ${status}, but its refunds do not agree`);
    }
  }
  return findings;
}
