/**
 * Repetitions: finds where a bot did something twice, or out of order, from a journal.
 *
 * Pure. Two calls are the same when method, chat and parameters are the same. A bot may say the same
 * thing twice for a reason, so a repetition is reported only in these cases:
 *
 * - `possible-duplicate`: the call before it in the chat was the same and took effect, but its answer
 *   did not arrive, so the bot could not know;
 * - `duplicate`: the chat's updates do not account for it;
 * - `order-broken`: it was first tried before another call in its chat, but took effect after it.
 */
import type { JournalEntry, Violation } from "../control-api.ts";
import type { Writing } from "./violations.ts";

/** The fields of a journal entry that are needed here. */
export type RepeatableCall = Pick<
  JournalEntry,
  | "sequence"
  | "method"
  | "parameters"
  | "chatId"
  | "cost"
  | "executedAtMs"
  | "answeredAtMs"
  | "status"
  | "answerWritten"
  | "clientGoneAfterMs"
  | "fault"
>;

/** A client that left within this time after an answer may not have read it. */
const unreadMs = 1_000;

export function findRepetitions(
  calls: readonly RepeatableCall[],
  writings: Iterable<Writing>,
): Violation[] {
  const sends = calls.filter(({ chatId, cost }) => chatId !== null && cost > 0);
  const writingsOf = Map.groupBy(writings, ({ chatId }) => chatId);
  const found: Violation[] = [];
  for (const [chatId, inChat] of Map.groupBy(sends, (call) => call.chatId)) {
    const reasons = (writingsOf.get(chatId as number) ?? []).map(({ atMs }) => atMs);
    found.push(...repetitionsIn(inChat, reasons), ...disorderIn(inChat));
  }
  return found;
}

function repetitionsIn(calls: readonly RepeatableCall[], reasonsMs: readonly number[]) {
  const found: Violation[] = [];
  const said = new Map<string, number>();
  let previous: RepeatableCall | undefined;
  for (const call of inOrderOfEffect(calls)) {
    const key = keyOf(call);
    const messages = (said.get(key) ?? 0) + 1;
    said.set(key, messages);
    const unsure = previous && keyOf(previous) === key && isAmbiguous(previous);
    const reasons = reasonsMs.filter((atMs) => atMs <= executedAt(call)).length;
    const limit = Math.max(1, reasons);
    if (unsure) found.push(violation("possible-duplicate", call, messages, limit));
    else if (messages > limit) found.push(violation("duplicate", call, messages, limit));
    previous = call;
  }
  return found;
}

function disorderIn(calls: readonly RepeatableCall[]): Violation[] {
  const firstTried = new Map<string, number>();
  const tried = new Map<RepeatableCall, number>();
  for (const call of [...calls].sort((a, b) => a.sequence - b.sequence)) {
    const key = keyOf(call);
    const first = firstTried.get(key) ?? call.sequence;
    tried.set(call, first);
    if (call.executedAtMs === null) firstTried.set(key, first);
    else firstTried.delete(key);
  }
  const found: Violation[] = [];
  let latest = 0;
  for (const call of inOrderOfEffect(calls)) {
    const first = tried.get(call) ?? call.sequence;
    if (first < latest) found.push(violation("order-broken", call, 1, 0));
    latest = Math.max(latest, first);
  }
  return found;
}

/** Whether the bot may not know that the call took effect. */
export function isAmbiguous(call: Omit<RepeatableCall, "parameters">): boolean {
  if (call.executedAtMs === null) return false;
  if (call.status === null || call.status >= 500 || !call.answerWritten) return true;
  return call.fault === "cut" || (call.clientGoneAfterMs ?? Number.POSITIVE_INFINITY) < unreadMs;
}

function inOrderOfEffect(calls: readonly RepeatableCall[]): RepeatableCall[] {
  const executed = calls.filter(({ executedAtMs }) => executedAtMs !== null);
  return executed.sort((a, b) => executedAt(a) - executedAt(b) || a.sequence - b.sequence);
}

function executedAt({ executedAtMs }: RepeatableCall): number {
  return executedAtMs ?? Number.NaN;
}

function keyOf({ method, parameters }: RepeatableCall): string {
  return `${method.toLowerCase()} ${JSON.stringify(Object.entries(parameters).sort())}`;
}

function violation(
  rule: Violation["rule"],
  call: RepeatableCall,
  messages: number,
  limit: number,
): Violation {
  const { chatId, sequence } = call;
  return { rule, chatId, sequence, atMs: executedAt(call), messages, limit };
}
