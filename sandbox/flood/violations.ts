/**
 * Violations: finds where a bot exceeded Telegram's limits, from a journal.
 *
 * Pure. Windows are half open: two messages exactly one second apart are in different windows.
 * A call that costs more than a limit (an album) is a violation only with others in its window.
 */
import type { JournalEntry, Violation } from "../control-api.ts";

export interface FloodRules {
  /** Messages in one chat within 1 s. */
  readonly chatPerSecond: number;
  /** Messages in one group within 60 s. */
  readonly groupPerMinute: number;
  /** Messages over all chats within 1 s. */
  readonly botPerSecond: number;
}

export const floodRulesDefault: FloodRules = {
  chatPerSecond: 1,
  groupPerMinute: 20,
  botPerSecond: 30,
};

/** The fields of a journal entry that the report needs. */
export type JournalledCall = Pick<
  JournalEntry,
  "sequence" | "chatId" | "cost" | "executedAtMs" | "arrivedAtMs" | "answeredAtMs" | "description"
>;

/** A user wrote to the bot, which reopens a chat that had blocked it. */
export interface Writing {
  readonly chatId: number;
  readonly atMs: number;
}

const secondMs = 1_000;
const minuteMs = 60_000;

/** Descriptions after which the bot must not write to the chat until a user writes to it. */
const blockedDescriptions: ReadonlySet<string> = new Set([
  "Forbidden: bot was blocked by the user",
  "Forbidden: user is deactivated",
]);

/** @returns the violations in order of time. */
export function findViolations(
  calls: readonly JournalledCall[],
  writings: Iterable<Writing>,
  rules: FloodRules,
): readonly Violation[] {
  const sends = executedSends(calls);
  const chats = Map.groupBy(sends, ({ chatId }) => chatId);
  const found: Violation[] = overWindow("bot-per-second", sends, rules.botPerSecond, secondMs);
  for (const [chatId, inChat] of chats) {
    if (chatId === null) continue;
    found.push(...overWindow("chat-per-second", inChat, rules.chatPerSecond, secondMs));
    if (chatId < 0) {
      found.push(...overWindow("group-per-minute", inChat, rules.groupPerMinute, minuteMs));
    }
  }
  found.push(...sendsAfterBlock(calls, writings));
  return found.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
}

interface Send {
  readonly sequence: number;
  readonly chatId: number | null;
  readonly cost: number;
  readonly atMs: number;
}

function executedSends(calls: readonly JournalledCall[]): Send[] {
  return calls
    .flatMap(({ sequence, chatId, cost, executedAtMs }) =>
      executedAtMs === null || cost === 0 ? [] : [{ sequence, chatId, cost, atMs: executedAtMs }],
    )
    .sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
}

function overWindow(
  rule: Violation["rule"],
  sends: readonly Send[],
  limit: number,
  lengthMs: number,
): Violation[] {
  const found: Violation[] = [];
  let first = 0;
  let messages = 0;
  // An album counts as at most the limit, so that a large one alone breaks no limit.
  let weight = 0;
  for (const send of sends) {
    messages += send.cost;
    weight += Math.min(send.cost, limit);
    for (let oldest = sends[first]; oldest && oldest.atMs <= send.atMs - lengthMs; ) {
      messages -= oldest.cost;
      weight -= Math.min(oldest.cost, limit);
      first += 1;
      oldest = sends[first];
    }
    if (weight > limit) {
      const chatId = rule === "bot-per-second" ? null : send.chatId;
      found.push({ rule, chatId, sequence: send.sequence, atMs: send.atMs, messages, limit });
    }
  }
  return found;
}

/** Sends to a chat after Telegram said that it is closed, and before a user wrote there again. */
function sendsAfterBlock(
  calls: readonly JournalledCall[],
  writings: Iterable<Writing>,
): Violation[] {
  const reopened = Map.groupBy(writings, ({ chatId }) => chatId);
  const blockedAtMs = new Map<number, { atMs: number; sends: number }>();
  const found: Violation[] = [];
  for (const call of [...calls].sort((a, b) => a.arrivedAtMs - b.arrivedAtMs)) {
    const { chatId, sequence, answeredAtMs, arrivedAtMs } = call;
    if (chatId === null || call.cost === 0) continue;
    const block = blockedAtMs.get(chatId);
    const open = reopened
      .get(chatId)
      ?.some(({ atMs }) => block && atMs > block.atMs && atMs <= arrivedAtMs);
    if (block && !open && arrivedAtMs > block.atMs) {
      const messages = ++block.sends;
      const entry = { chatId, sequence, atMs: arrivedAtMs };
      found.push({ rule: "send-after-block", ...entry, messages, limit: 0 });
    }
    const refused = call.description !== null && blockedDescriptions.has(call.description);
    if (refused && answeredAtMs !== null && (!block || open)) {
      blockedAtMs.set(chatId, { atMs: answeredAtMs, sends: 0 });
    }
  }
  return found;
}
