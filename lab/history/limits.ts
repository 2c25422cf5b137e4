/**
 * Limits: checks Telegram's flood limits over sliding windows (P6).
 *
 * Windows are half open: two messages exactly one second apart are in different windows. An album that
 * costs more than a limit breaks it only together with others in its window.
 */
import { type Executed, type HistoryRecord, recordsOf } from "./history.ts";
import type { Finding } from "./verdict.ts";

export interface LimitRules {
  /** Messages in one chat within 1 s. */
  readonly chatPerSecond: number;
  /** Messages in one group (a chat whose id is negative) within 60 s. */
  readonly groupPerMinute: number;
  /** Messages over all chats within 1 s. */
  readonly botPerSecond: number;
}

/** Source: core.telegram.org/bots/faq, "My bot is hitting limits". */
export const limitRulesDefault: LimitRules = {
  chatPerSecond: 1,
  groupPerMinute: 20,
  botPerSecond: 30,
};

export function checkLimits(history: readonly HistoryRecord[], rules: LimitRules): Finding[] {
  const sends = recordsOf(history, "executed")
    .filter(({ cost = 1 }) => cost > 0)
    .toSorted((a, b) => a.at - b.at);
  const findings = overWindow("bot-per-second", sends, rules.botPerSecond, 1_000);
  for (const [chat, inChat] of Map.groupBy(sends, (send) => send.chat)) {
    findings.push(...overWindow("chat-per-second", inChat, rules.chatPerSecond, 1_000));
    if (!chat.startsWith("-")) continue;
    findings.push(...overWindow("group-per-minute", inChat, rules.groupPerMinute, 60_000));
  }
  findings.push(...ignoredRetryAfter(history, sends));
  return findings;
}

function overWindow(
  what: Finding["what"],
  sends: readonly Executed[],
  limit: number,
  lengthMs: number,
): Finding[] {
  const findings: Finding[] = [];
  const weightOf = ({ cost = 1 }: Executed) => Math.min(cost, limit);
  let first = 0;
  let weight = 0;
  for (const send of sends) {
    weight += weightOf(send);
    for (let oldest = sends[first]; oldest && oldest.at <= send.at - lengthMs; first++) {
      weight -= weightOf(oldest);
      oldest = sends[first + 1];
    }
    if (weight <= limit) continue;
    const { at, chat } = send;
    const where = `${weight} messages within ${lengthMs} ms, at most ${limit}`;
    findings.push({ promise: "P6", what, chat, at, where });
  }
  return findings;
}

/** Finds sends to a chat within the `retry_after` that Telegram had asked for. */
function ignoredRetryAfter(
  history: readonly HistoryRecord[],
  sends: readonly Executed[],
): Finding[] {
  const refusals = recordsOf(history, "rate-limited");
  const parked = Map.groupBy(refusals, ({ chat }) => chat);
  return [...sends, ...refusals].flatMap(({ at, chat }): Finding[] => {
    const ban = parked.get(chat)?.find((one) => at > one.at && at < one.at + one.retryAfterMs);
    if (!ban) return [];
    const where = `${at - ban.at} ms after a 429 with retry_after ${ban.retryAfterMs} ms`;
    return [{ promise: "P6", what: "retry-after-ignored", chat, at, where }];
  });
}
