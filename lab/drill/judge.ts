/**
 * Judge: counts from outside what a fault has cost, from the sandbox's journal and facts and from the
 * database after the last stop. lab/history/ defines the promises.
 */
import { dirname, join } from "node:path";
import { existingKeysIn } from "../../bot/config/key-file.ts";
import { RowReader } from "../../bot/storage/sqlite/row-reader.ts";
import type { JournalEntry, UpdateFact } from "../../sandbox/control-api.ts";
import { checkHistory } from "../history/checker.ts";
import { checkBooks, historyFromDatabase, type ReadTable } from "../history/from-database.ts";
import {
  historyFromJournal,
  type ObservedCall,
  type WitnessedEnd,
} from "../history/from-journal.ts";
import { apology, nameOfReply } from "./crowd.ts";
import type { Scene } from "./scene.ts";

export interface Judgement {
  /** Updates that Telegram had for the bot. */
  readonly updates: number;
  /** Updates that were confirmed and forgotten, or never confirmed. */
  readonly lost: number;
  /** Effects on data that happened more than once, or that no update asked for. */
  readonly doubled: number;
  /** Replies that never came. */
  readonly missing: number;
  /** Replies that came again although the bot knew that they had been sent. */
  readonly duplicated: number;
  /** Replies that came again because the bot could not know. They are allowed, and counted. */
  readonly ambiguous: number;
  readonly disorder: number;
  /** Sends that Telegram refused with 429, where that is judged. */
  readonly refused?: number;
  /** Messages given up as dead letters. */
  readonly givenUp: number;
  /** One sentence for every broken promise. */
  readonly problems: readonly string[];
}

/** First and last instant. */
export type Span = readonly [number, number];

export interface Circumstances {
  /** The span in which the link swallowed answers, if it did. */
  readonly swallowed: Span | undefined;
  /** The ends of the bot's processes, oldest first. */
  readonly ends: readonly WitnessedEnd[];
  /** Whether no message may be waiting any more. */
  readonly drained: boolean;
}

/** Judges a fault. Call it after the bot's last stop. */
export async function judge(
  { botDirectory, crowd, sandbox }: Pick<Scene, "botDirectory" | "crowd" | "sandbox">,
  { drained, ends, swallowed }: Circumstances,
): Promise<Judgement> {
  const calls = (await sandbox.journalAll()).map((call) => asRead(call, swallowed));
  const rows = new RowReader(join(botDirectory, "bot.db"), existingKeysIn(dirname(botDirectory)));
  const read: ReadTable = (table) => rows.all(`SELECT * FROM ${table} ORDER BY 1`);
  try {
    return weighEvidence({ calls, crowd, drained, ends, read, facts: await allFacts(sandbox) });
  } finally {
    rows.close();
  }
}

export interface Evidence extends Pick<Scene, "crowd">, Omit<Circumstances, "swallowed"> {
  readonly calls: readonly ObservedCall[];
  readonly facts: readonly UpdateFact[];
  readonly read: ReadTable;
}

export function weighEvidence({ calls, crowd, drained, ends, facts, read }: Evidence): Judgement {
  const at = Math.max(0, ...calls.map(({ arrivedAtMs }) => arrivedAtMs));
  const expectation = ({ updateId }: { readonly updateId: number }) => crowd.owed(updateId);
  const { counts, findings } = checkHistory(
    [
      ...historyFromJournal(calls, facts, { reply: nameOfReply, expectation }, ends),
      ...historyFromDatabase(read, { at, reply: (method) => method, lastWords: [apology] }),
      ...(drained ? [{ at, kind: "drained" } as const] : []),
    ],
    { limits: null },
  );
  const all = [...findings, ...checkBooks(read)];
  const unconfirmed = all.filter(({ what }) => what === "update-unconfirmed").length;
  const wrongBooks = all.filter(({ what }) => what === "books-differ").length;
  return {
    updates: counts.updates,
    lost: counts.lost + unconfirmed,
    doubled: counts.effectsDoubled + wrongBooks,
    missing: counts.repliesMissing,
    duplicated: counts.repliesDuplicated,
    ambiguous: counts.repliesAmbiguous,
    disorder: counts.orderViolations,
    givenUp: counts.deadLetters,
    problems: all.map(({ chat, promise, where }) => `${promise}: chat ${chat}: ${where}`),
  };
}

/** Marks an answer as lost when the link could not carry it. */
function asRead(call: JournalEntry, swallowed: Span | undefined): JournalEntry {
  const { answeredAtMs } = call;
  if (answeredAtMs === null || !swallowed) return call;
  const [from, to] = swallowed;
  const unread = from <= answeredAtMs && answeredAtMs <= to;
  return unread ? { ...call, answerWritten: false } : call;
}

/** All updates, and what became of them. */
export async function allFacts(sandbox: Scene["sandbox"]): Promise<readonly UpdateFact[]> {
  const facts: UpdateFact[] = [];
  for (let after = 0; ; ) {
    const page = await sandbox.facts({ after, limit: 5_000 });
    facts.push(...page);
    const last = page.at(-1);
    if (!last || page.length < 5_000) return facts;
    after = last.sequence;
  }
}
