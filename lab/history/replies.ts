/**
 * Replies: compares what was owed to a lane with what Telegram executed in it (P3, P4 and P5).
 *
 * A reply that is executed again directly after an ambiguous send is a counted duplicate; every other
 * repetition is a broken promise. Owed replies with the same name must not be neighbours in a lane, or
 * a repetition could not be told from the next one.
 */
import { type Executed, type HistoryRecord, recordsOf } from "./history.ts";
import type { Obligations } from "./obligations.ts";
import type { Finding } from "./verdict.ts";

export interface RepliesVerdict {
  readonly findings: readonly Finding[];
  /** Owed replies that were not sent, by update; those without an update under "". */
  readonly missing: ReadonlyMap<string, readonly string[]>;
  /** Updates of which at least one reply was executed. */
  readonly answered: ReadonlySet<string>;
  readonly ambiguousDuplicates: number;
}

/** One reply that a lane may or must see. */
interface Due {
  readonly update: string;
  readonly reply: string;
  readonly owed: boolean;
}

export function checkReplies(
  history: readonly HistoryRecord[],
  obligations: Obligations,
): RepliesVerdict {
  const due = readDue(history, obligations);
  const executed = Map.groupBy(recordsOf(history, "executed"), laneOf);
  const findings: Finding[] = [];
  const missing = new Map<string, string[]>();
  const answered = new Set<string>();
  const excused = excusedReplies(history);
  let ambiguousDuplicates = 0;
  for (const [lane, owed] of due) {
    const result = align(owed, executed.get(lane) ?? []);
    findings.push(...result.findings);
    ambiguousDuplicates += result.ambiguousDuplicates;
    for (const { update } of result.met) answered.add(update);
    for (const { owed: isOwed, reply, update } of result.unmet) {
      if (!isOwed || !obligations.covers.has("replies") || excused(lane, reply)) continue;
      missing.set(update, [...(missing.get(update) ?? []), reply]);
    }
  }
  return { findings, missing, answered, ambiguousDuplicates };
}

function laneOf(record: { readonly chat: string; readonly lane?: string }): string {
  return record.lane ?? record.chat;
}

/** Due replies by lane, in their order. Lanes with unknown replies are left out. */
function readDue(
  history: readonly HistoryRecord[],
  { all }: Obligations,
): ReadonlyMap<string, readonly Due[]> {
  const due = new Map<string, Due[]>();
  const unknown = new Set<string>();
  for (const { excused, instead, owed, sent } of all) {
    const lane = laneOf(sent);
    if (!sent.replies) unknown.add(lane);
    const own = [...(sent.replies ?? []), ...instead].map((reply, index) => {
      const isOwed = owed && !excused && index < (sent.replies ?? []).length;
      return { update: sent.update, reply, owed: isOwed };
    });
    due.set(lane, [...(due.get(lane) ?? []), ...own]);
  }
  for (const announced of recordsOf(history, "announced")) {
    const lane = laneOf(announced);
    const own = announced.replies.map((reply) => ({ update: "", reply, owed: true }));
    due.set(lane, [...(due.get(lane) ?? []), ...own]);
  }
  for (const lane of unknown) due.delete(lane);
  return due;
}

/** Each reply given up or waiting excuses one that is missing. */
function excusedReplies(
  history: readonly HistoryRecord[],
): (lane: string, reply: string) => boolean {
  const left = new Map<string, number>();
  for (const record of [...recordsOf(history, "dead"), ...recordsOf(history, "waiting")]) {
    if (record.reply === undefined) continue;
    const key = JSON.stringify([laneOf(record), record.reply]);
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  return (lane, reply) => {
    const key = JSON.stringify([lane, reply]);
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count > 0;
  };
}

/** Compares due and executed replies one by one. */
function align(due: readonly Due[], executed: readonly Executed[]) {
  const findings: Finding[] = [];
  const met: Due[] = [];
  const passedOver: Due[] = [];
  let next = 0;
  let before: Executed | undefined;
  let ambiguousDuplicates = 0;
  for (const send of executed) {
    const { at, chat, reply } = send;
    const find = (promise: Finding["promise"], what: Finding["what"], where: string) =>
      findings.push({ promise, what, chat, at, where });
    const late = passedOver.findIndex((one) => one.reply === reply);
    const ahead = due.findIndex((one, index) => index >= next && one.reply === reply);
    const repeats = before?.reply === reply && met.at(-1)?.reply === reply;
    // Skip due replies that are optional.
    if (repeats && before?.ambiguous) {
      ambiguousDuplicates++;
    } else if (ahead >= 0 && !due.slice(next, ahead).some(({ owed }) => owed)) {
      passedOver.push(...due.slice(next, ahead));
      met.push(due[ahead] as Due);
      next = ahead + 1;
    } else if (repeats) {
      find("P4", "reply-doubled", `${reply} was sent again without reason`);
    } else if (late >= 0) {
      met.push(...passedOver.splice(late, 1));
      find("P5", "replies-out-of-order", `${reply} came after ${before?.reply}`);
    } else if (ahead >= 0) {
      passedOver.push(...due.slice(next, ahead));
      met.push(due[ahead] as Due);
      next = ahead + 1;
    } else if (due.some((one) => one.reply === reply)) {
      find("P4", "reply-doubled", `${reply} was sent again, long after its time`);
    } else {
      find("P4", "reply-unexpected", `${reply} is not owed to any update`);
    }
    before = send;
  }
  return { findings, met, unmet: [...passedOver, ...due.slice(next)], ambiguousDuplicates };
}
