/**
 * Liveness: finds what was answered too late after the faults had ended (P13).
 *
 * Whatever holds were in force then, everything is taken in and answered within a minute. Two waits are
 * not the bot's own: a handler that hangs keeps its own chat until HANDLER_TIMEOUT_MS gives it up, and a
 * group takes 20 messages a minute, of which a send that was in hand at a death is one, sent or not.
 */
import { type HistoryRecord, recordsOf } from "../history/history.ts";
import { limitRulesDefault } from "../history/limits.ts";

/** Milliseconds in which everything has to be answered. It includes every `retry_after` that is drawn. */
const answeredWithinMs = 60_000;

export interface LivenessOptions {
  /** When the faults ended. */
  readonly fineFromMs: number;
  /** Updates whose handler hangs. */
  readonly hanging: ReadonlySet<string>;
}

/** @returns one sentence for every chat that waited too long, and for updates that were left at Telegram. */
export function findLate(
  history: readonly HistoryRecord[],
  { fineFromMs, hanging }: LivenessOptions,
): string[] {
  const freeAtMs = findHangsEnd(history, hanging);
  const afterwards = history.filter(({ at }) => at > fineFromMs);
  const late: string[] = [];
  const say = (what: string, at: number, dueAtMs: number) => {
    if (at <= dueAtMs) return;
    const tookS = ((at - fineFromMs) / 1_000).toFixed(1);
    const dueS = ((dueAtMs - fineFromMs) / 1_000).toFixed(1);
    late.push(`${what} ${tookS} s after the faults had ended, due within ${dueS} s`);
  };
  const taken = recordsOf(afterwards, "confirmed").at(-1);
  if (taken) say("the last update was taken in", taken.at, fineFromMs + answeredWithinMs);
  // A chat has one send in hand at a time.
  const inHandAtDeaths = recordsOf(afterwards, "started").length;
  const sends = Map.groupBy(recordsOf(afterwards, "executed"), ({ chat }) => chat);
  for (const [chat, inChat] of sends) {
    const fromMs = Math.max(fineFromMs, freeAtMs.get(chat) ?? 0);
    const minutes = chat.startsWith("-")
      ? Math.floor((inChat.length + inHandAtDeaths) / limitRulesDefault.groupPerMinute)
      : 0;
    const dueAtMs = fromMs + answeredWithinMs + minutes * 60_000;
    say(`chat ${chat} got its last answer`, inChat.at(-1)?.at ?? 0, dueAtMs);
  }
  return late;
}

/** When the last hanging handler of each chat had ended. */
function findHangsEnd(
  history: readonly HistoryRecord[],
  hanging: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const ends = recordsOf(history, "ended").filter(({ update }) => hanging.has(update));
  return new Map(ends.map(({ at, chat }) => [chat, at]));
}
