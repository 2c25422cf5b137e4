/**
 * History: what users, Telegram and the disk saw of a bot, one record per fact.
 *
 * A history is stored as JSON lines. Chats and updates are named by their ids. The writer of a history
 * names effects and replies, so that the same name means the same thing. Instants are milliseconds of
 * one monotonic clock.
 */

/** The kinds of records that a history has completely; only these are judged when they are missing. */
export type Evidence =
  /** Every update on the bot's disk has a `stored` record. */
  | "storage"
  /** Every committed change of data in chats with expectations has an `effect` record. */
  | "effects"
  /** Every executed send in chats with expectations has an `executed` record. */
  | "replies";

export type HistoryRecord = { readonly at: number } & (
  | { readonly kind: "covers"; readonly evidence: readonly Evidence[] }
  /** A user did something. From now on the bot owes this, in this order within the chat. */
  | {
      readonly kind: "sent-by-user";
      readonly update: string;
      readonly chat: string;
      /** Default: unknown, and not judged. */
      readonly effects?: readonly string[];
      /** Names of the sends. Default: unknown, and not judged. */
      readonly replies?: readonly string[];
      /** The lane that keeps the order of the replies. Default: the chat. */
      readonly lane?: string;
    }
  /** The bot itself has something to say: a broadcast, an alert. */
  | {
      readonly kind: "announced";
      readonly chat: string;
      readonly replies: readonly string[];
      readonly lane?: string;
    }
  /** An update is on the bot's disk. */
  | { readonly kind: "stored"; readonly update: string }
  /** Telegram was told "got it" and has forgotten the update. */
  | { readonly kind: "confirmed"; readonly update: string }
  /** Telegram gave an update up (expired, dropped) before it was confirmed. */
  | { readonly kind: "forgotten"; readonly update: string }
  /** A handler began, and ended with success or failure. */
  | { readonly kind: "began"; readonly update: string; readonly chat: string }
  | { readonly kind: "ended"; readonly update: string; readonly chat: string }
  /** A change of data is committed. */
  | {
      readonly kind: "effect";
      readonly chat: string;
      readonly effect: string;
      /** Minor units; the sum of a chat's effects is its balance. */
      readonly amountMinor?: number;
    }
  /** Telegram executed a send. */
  | {
      readonly kind: "executed";
      readonly chat: string;
      readonly reply: string;
      /** Whether the sender may not know of it, or died before it could record it. */
      readonly ambiguous: boolean;
      /** Messages it counts as under flood control. Default 1. */
      readonly cost?: number;
      readonly lane?: string;
    }
  /** Telegram refused a send to this chat with 429. */
  | { readonly kind: "rate-limited"; readonly chat: string; readonly retryAfterMs: number }
  /** An update or a reply became a dead letter. */
  | {
      readonly kind: "dead";
      readonly chat: string;
      readonly update?: string;
      readonly reply?: string;
      readonly lane?: string;
      /** The messages that replace the update's replies. */
      readonly replies?: readonly string[];
    }
  /** An update or a reply is still in the bot's queue when the history ends. */
  | {
      readonly kind: "waiting";
      readonly chat: string;
      readonly update?: string;
      readonly reply?: string;
      readonly lane?: string;
    }
  /** The bot's process. Its death ends every handler. */
  | { readonly kind: "started" }
  | { readonly kind: "died" }
  /** The bot had time without faults: from now on nothing may be owed or waiting. */
  | { readonly kind: "drained" }
);

export type RecordOf<Kind extends HistoryRecord["kind"]> = Extract<
  HistoryRecord,
  { readonly kind: Kind }
>;

export type Executed = RecordOf<"executed">;

/** All records of one kind, in their order. */
export function recordsOf<Kind extends HistoryRecord["kind"]>(
  history: readonly HistoryRecord[],
  kind: Kind,
): readonly RecordOf<Kind>[] {
  return history.filter((record): record is RecordOf<Kind> => record.kind === kind);
}

export function toJsonLines(history: readonly HistoryRecord[]): string {
  return history.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** The fields of every record of a kind beside `at`, and their types. */
const fieldsOf: Readonly<Record<HistoryRecord["kind"], Readonly<Record<string, string>>>> = {
  covers: { evidence: "array" },
  "sent-by-user": { update: "string", chat: "string" },
  announced: { chat: "string", replies: "array" },
  stored: { update: "string" },
  confirmed: { update: "string" },
  forgotten: { update: "string" },
  began: { update: "string", chat: "string" },
  ended: { update: "string", chat: "string" },
  effect: { chat: "string", effect: "string" },
  executed: { chat: "string", reply: "string", ambiguous: "boolean" },
  "rate-limited": { chat: "string", retryAfterMs: "number" },
  dead: { chat: "string" },
  waiting: { chat: "string" },
  started: {},
  died: {},
  drained: {},
};

/** @throws Error naming the line and the field that are wrong. */
export function parseJsonLines(text: string): HistoryRecord[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    return [parseRecord(line, index + 1)];
  });
}

function parseRecord(line: string, number: number): HistoryRecord {
  const wrong = (expected: string, cause?: unknown) =>
    new Error(`history, line ${number}: expected ${expected}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw wrong("a JSON object", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong("a JSON object");
  }
  const record = value as Record<string, unknown>;
  if (!Object.hasOwn(fieldsOf, String(record["kind"]))) {
    throw wrong(`kind to be one of ${Object.keys(fieldsOf).join(", ")}`);
  }
  const fields = { at: "number", ...fieldsOf[record["kind"] as HistoryRecord["kind"]] };
  for (const [field, type] of Object.entries(fields)) {
    const found = Array.isArray(record[field]) ? "array" : typeof record[field];
    if (found !== type) throw wrong(`${field}: ${type}, received ${found}`);
  }
  return record as unknown as HistoryRecord;
}
