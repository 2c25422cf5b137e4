/**
 * From journal: makes a history from the JSON of the sandbox's journal and facts.
 *
 * The sandbox shares no code with the bot, so the types that are used are declared here.
 *
 * A repeated send is excused only where the bot could not know that the first one took effect. Two
 * witnesses tell that, and each may refuse the excuse:
 *
 * - The server knows whether it wrote a whole answer, and when the client closed the connection. It
 *   cannot know whether a client that dies has read the answer before, nor what it did with it.
 * - The disk knows, between a death and the next start, which sends were in hand: claimed, and not
 *   recorded as done. What is not in hand there was committed, and a repetition has no excuse.
 *
 * So an answered send is ambiguous when its process died soon after the answer and the disk still had
 * it in hand, or when a living client's connection broke soon after the answer. A death that the disk
 * did not witness (no file yet, a file that was damaged) is judged by the server alone.
 */
import type { CallInHand } from "./from-database.ts";
import type { HistoryRecord } from "./history.ts";

/** The fields of a journal entry that are needed here. */
export interface ObservedCall {
  readonly sequence: number;
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly arrivedAtMs: number;
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
  /**
   * Whether its sender cannot know that it took effect, where another witness than those below tells.
   * Default: they do.
   */
  readonly ambiguous?: boolean;
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

/** What names a reply. */
export type NamedCall = Pick<ObservedCall, "method" | "parameters">;

export interface JournalNames {
  /** The name of the reply that a call sends; `undefined` when it sends none. */
  readonly reply: (call: NamedCall) => string | undefined;
  /** Default: nothing is known about any update. */
  readonly expectation?: (fate: UpdateFate) => Expectation;
}

/** The end of a process, with what it left. */
export interface WitnessedEnd {
  /** When the end was seen, on the journal's clock. */
  readonly atMs: number;
  /** Sends in hand, read before the next start; `undefined` when the disk could not be read. */
  readonly inHand: readonly CallInHand[] | undefined;
  /** Milliseconds before the end in which it could neither read nor commit. Default 1,000. */
  readonly deafMs?: number;
}

/** A client that left within this time after an answer may not have read it, or not have committed it. */
const unreadMs = 1_000;
/**
 * A request of a dead process may wait this long in the server's socket. The next process needs longer
 * from its start to its first call.
 */
const lateMs = 200;

/**
 * @param ends The ends of all processes, oldest first. Default: none was witnessed.
 * @returns records in order of time. Covers replies.
 */
export function historyFromJournal(
  calls: readonly ObservedCall[],
  fates: readonly UpdateFate[],
  names: JournalNames,
  ends: readonly WitnessedEnd[] = [],
): HistoryRecord[] {
  const inOrder = calls.toSorted((a, b) => a.sequence - b.sequence);
  const cutShort = findCutShort(inOrder, names, ends);
  const records: HistoryRecord[] = [
    ...fates.flatMap((fate) => recordsOfFate(fate, names.expectation?.(fate) ?? {})),
    ...inOrder.flatMap((call) => {
      const ambiguous = isAmbiguous(call, endOf(call, ends), cutShort.has(call.sequence));
      return recordsOfCall(call, names.reply(call), ambiguous);
    }),
  ];
  return [
    { at: 0, kind: "covers", evidence: ["replies"] },
    ...records.toSorted((a, b) => a.at - b.at),
  ];
}

/** The end of the process that made the call, if it was witnessed. */
function endOf(call: ObservedCall, ends: readonly WitnessedEnd[]): WitnessedEnd | undefined {
  return ends.find(({ atMs }) => call.arrivedAtMs <= atMs + lateMs);
}

/** Finds the calls that took effect and were in hand when their process ended. */
function findCutShort(
  calls: readonly ObservedCall[],
  names: JournalNames,
  ends: readonly WitnessedEnd[],
): ReadonlySet<number> {
  const found = new Set<number>();
  const executed = calls.filter(({ executedAtMs }) => executedAtMs !== null);
  const byEnd = Map.groupBy(executed, (call) => endOf(call, ends));
  for (const end of ends) {
    const ofProcess = byEnd.get(end) ?? [];
    for (const { chat, ...inHand } of end.inHand ?? []) {
      // A chat's sends keep their order, so only its last call can be the one in hand.
      const last = ofProcess.findLast(({ chatId }) => String(chatId) === chat);
      if (last && names.reply(last) === names.reply(inHand)) found.add(last.sequence);
    }
  }
  return found;
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

function recordsOfCall(
  call: ObservedCall,
  reply: string | undefined,
  ambiguous: boolean,
): HistoryRecord[] {
  const { answeredAtMs, chatId, cost, executedAtMs } = call;
  if (chatId === null) return [];
  const chat = String(chatId);
  if (executedAtMs !== null) {
    if (reply === undefined && cost === 0) return [];
    const name = reply ?? `${call.method} ${call.sequence}`;
    // A send without a name is not owed to an update, but it counts for the chat's limits.
    const lane = reply === undefined ? { lane: `unnamed:${chat}` } : {};
    return [{ at: executedAtMs, kind: "executed", chat, reply: name, ambiguous, cost, ...lane }];
  }
  if (call.status !== 429 || answeredAtMs === null) return [];
  const seconds = Number(/retry after (\d+)/.exec(call.description ?? "")?.[1] ?? 0);
  return [{ at: answeredAtMs, kind: "rate-limited", chat, retryAfterMs: seconds * 1_000 }];
}

/** Whether the bot may not know that an executed call took effect. */
function isAmbiguous(
  call: ObservedCall,
  end: WitnessedEnd | undefined,
  cutShort: boolean,
): boolean {
  const { answeredAtMs, status } = call;
  if (status === null || answeredAtMs === null || status >= 500) return true;
  if (!call.answerWritten || call.fault === "cut") return true;
  if (call.ambiguous !== undefined) return call.ambiguous;
  const goneAfterMs = call.clientGoneAfterMs ?? Number.POSITIVE_INFINITY;
  if (!end) return goneAfterMs < unreadMs;
  const { atMs, deafMs = unreadMs, inHand } = end;
  const linkBroke = goneAfterMs < unreadMs && answeredAtMs + goneAfterMs < atMs - unreadMs;
  if (linkBroke) return true;
  const soon = atMs - answeredAtMs <= deafMs;
  return soon && (inHand === undefined || cutShort);
}
