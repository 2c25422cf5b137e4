/**
 * Obligations: collects what the bot owes for each update, and what it is excused from.
 *
 * The bot owes every update that it confirmed or stored and, once everything had time to drain, every
 * update that was sent. It is excused from those that Telegram forgot, that became dead letters, or that
 * still wait in the queue; waiting ones are judged apart.
 */
import { type HistoryRecord, type RecordOf, recordsOf } from "./history.ts";

export interface Obligation {
  readonly sent: RecordOf<"sent-by-user">;
  readonly owed: boolean;
  readonly excused: boolean;
  /** The messages that replace its replies when it was given up. */
  readonly instead: readonly string[];
}

export interface Obligations {
  /** In the order in which they were sent. */
  readonly all: readonly Obligation[];
  readonly covers: ReadonlySet<string>;
  readonly drained: boolean;
}

export function readObligations(history: readonly HistoryRecord[]): Obligations {
  const named = (kind: "confirmed" | "stored" | "forgotten") =>
    new Set(recordsOf(history, kind).map(({ update }) => update));
  const confirmed = named("confirmed");
  const stored = named("stored");
  const forgotten = named("forgotten");
  const waiting = new Set(recordsOf(history, "waiting").map(({ update }) => update));
  const dead = new Map(recordsOf(history, "dead").map((record) => [record.update, record]));
  const drained = recordsOf(history, "drained").length > 0;
  const all = recordsOf(history, "sent-by-user").map((sent): Obligation => {
    const { update } = sent;
    return {
      sent,
      owed: drained || confirmed.has(update) || stored.has(update),
      excused: forgotten.has(update) || waiting.has(update) || dead.has(update),
      instead: dead.get(update)?.replies ?? [],
    };
  });
  const covers = new Set(recordsOf(history, "covers").flatMap(({ evidence }) => evidence));
  return { all, covers, drained };
}
