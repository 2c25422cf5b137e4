/**
 * From journal: makes a history from the JSON of the sandbox's journal and facts.
 *
 * The sandbox shares no code with the bot, so the types that are used are declared here.
 */
import type { HistoryRecord } from "./history.ts";

/** The fields of a journal entry that are needed here. */
export interface ObservedCall {
  readonly sequence: number;
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly answeredAtMs: number | null;
  readonly status: number | null;
  readonly description: string | null;
  readonly executedAtMs: number | null;
  readonly chatId: number | null;
  /** Messages it counts as under flood control; 0 for a call that sends none. */
  readonly cost: number;
  readonly answerWritten: boolean;
  readonly clientGoneAfterMs?: number;
  readonly fault?: string;
}

/** The fields of an update's fact that are needed here. */
export interface UpdateFate {
  readonly updateId: number;
  readonly chatId: number | null;
  readonly createdAtMs: number;
  readonly end: "confirmed" | "expired" | "dropped" | null;
  readonly endedAtMs: number | null;
}

/** The effects and replies that an update causes. A missing field is unknown, and not judged. */
export interface Expectation {
  readonly effects?: readonly string[];
  readonly replies?: readonly string[];
}

export interface JournalNames<Call extends ObservedCall = ObservedCall> {
  /** The name of the reply that a call sends; `undefined` when it sends none. */
  readonly reply: (call: Call) => string | undefined;
  /** Default: nothing is known about any update. */
  readonly expectation?: (fate: UpdateFate) => Expectation;
}

/** A client that left within this time after an answer may not have read it. */
const unreadMs = 1_000;

/** @returns records in order of time. Covers replies. */
export function historyFromJournal<Call extends ObservedCall>(
  calls: readonly Call[],
  fates: readonly UpdateFate[],
  names: JournalNames<Call>,
): HistoryRecord[] {
  const records: HistoryRecord[] = [
    ...fates.flatMap((fate) => recordsOfFate(fate, names.expectation?.(fate) ?? {})),
    ...calls
      .toSorted((a, b) => a.sequence - b.sequence)
      .flatMap((call) => recordsOfCall(call, names.reply(call))),
  ];
  return [
    { at: 0, kind: "covers", evidence: ["replies"] },
    ...records.toSorted((a, b) => a.at - b.at),
  ];
}

function recordsOfFate(fate: UpdateFate, expectation: Expectation): HistoryRecord[] {
  const update = String(fate.updateId);
  // An update without a chat has no order with other updates.
  const chat = fate.chatId === null ? `update:${update}` : String(fate.chatId);
  const sent: HistoryRecord = {
    at: fate.createdAtMs,
    kind: "sent-by-user",
    update,
    chat,
    ...expectation,
  };
  if (fate.end === null) return [sent];
  const kind = fate.end === "confirmed" ? "confirmed" : "forgotten";
  return [sent, { at: fate.endedAtMs ?? fate.createdAtMs, kind, update }];
}

function recordsOfCall(call: ObservedCall, reply: string | undefined): HistoryRecord[] {
  const { answeredAtMs, chatId, cost, executedAtMs } = call;
  if (chatId === null) return [];
  const chat = String(chatId);
  if (executedAtMs !== null) {
    if (reply === undefined && cost === 0) return [];
    const name = reply ?? `${call.method} ${call.sequence}`;
    const ambiguous = isAmbiguous(call);
    // A send without a name is not owed to an update, but it counts for the chat's limits.
    const lane = reply === undefined ? { lane: `unnamed:${chat}` } : {};
    return [{ at: executedAtMs, kind: "executed", chat, reply: name, ambiguous, cost, ...lane }];
  }
  if (call.status !== 429 || answeredAtMs === null) return [];
  const seconds = Number(/retry after (\d+)/.exec(call.description ?? "")?.[1] ?? 0);
  return [{ at: answeredAtMs, kind: "rate-limited", chat, retryAfterMs: seconds * 1_000 }];
}

/** Whether the bot may not know that an executed call took effect. */
export function isAmbiguous(call: ObservedCall): boolean {
  if (call.status === null || call.status >= 500 || !call.answerWritten) return true;
  return call.fault === "cut" || (call.clientGoneAfterMs ?? Number.POSITIVE_INFINITY) < unreadMs;
}
