/** Judge of machines: counts what faults have cost, from the sandbox's journal and from PostgreSQL. */
import { existingKeysIn } from "../../../bot/config/key-file.ts";
import { RowReader } from "../../../bot/storage/postgres/row-reader.ts";
import type { JournalEntry, UpdateFact } from "../../../sandbox/control-api.ts";
import { callOf, type ReadTable, type Row } from "../../history/from-database.ts";
import { firstCallerId, nameOfReply } from "../crowd.ts";
import { allFacts, type Judgement, weighEvidence } from "../judge.ts";
import { type TakenOver, takenOverSql } from "./observer.ts";
import type { MachinesScene } from "./scene.ts";

const tables = ["accounts", "dead_letters", "dedupe", "ledger", "messages", "orders"] as const;

/** A request may wait so long in the server's socket while its process is already gone. */
const lateMs = 200;

export interface MachinesJudgement extends Judgement {
  /** The longest time from a message to its reply, of the people who wrote one. */
  readonly longestWaitMs: number;
}

/** Call it after the last stop of all processes. */
export async function judgeMachines(scene: MachinesScene): Promise<MachinesJudgement> {
  const { cluster, crowd, directory, observer, sandbox } = scene;
  const journal = await sandbox.journalAll();
  const rows = await RowReader.open({
    url: cluster.primary.url,
    schema: observer.schema,
    keys: existingKeysIn(directory),
  });
  try {
    const read = new Map<string, readonly Row[]>();
    for (const table of tables)
      read.set(table, await rows.all(`SELECT * FROM ${table} ORDER BY 1`));
    const readTable: ReadTable = (table) => read.get(table) ?? [];
    const inHand = findInHand(journal, await rows.all<TakenOver>(takenOverSql));
    const calls = journal.map((call) => ({ ...call, ambiguous: inHand.has(call.sequence) }));
    const facts = await allFacts(sandbox);
    const judgement = weighEvidence({
      calls,
      crowd,
      drained: true,
      ends: [],
      facts,
      read: readTable,
    });
    const refused = journal.filter(({ status }) => status === 429);
    const refusals = refused.map(
      ({ chatId, description }) => `P6: chat ${chatId}: a send was refused: ${description}`,
    );
    const givenUp = (read.get("dead_letters") ?? []).map(
      ({ reason, type }) => `P4: a message (${type}) was given up: ${reason}`,
    );
    const problems = [...judgement.problems, ...refusals, ...givenUp];
    const longestWaitMs = findLongestWait(journal, facts);
    return { ...judgement, refused: refused.length, longestWaitMs, problems };
  } finally {
    await rows.close();
  }
}

function findLongestWait(journal: readonly JournalEntry[], facts: readonly UpdateFact[]): number {
  const answeredAtMs = new Map<number, number>();
  for (const { chatId, executedAtMs } of journal) {
    if (chatId === null || executedAtMs === null || answeredAtMs.has(chatId)) continue;
    answeredAtMs.set(chatId, executedAtMs);
  }
  const waits = facts.map(({ chatId, createdAtMs }) =>
    chatId === null || chatId < firstCallerId ? 0 : (answeredAtMs.get(chatId) ?? 0) - createdAtMs,
  );
  return Math.max(0, ...waits);
}

/**
 * Finds the calls that took effect and were in hand of a process when another one took them over.
 *
 * @returns their sequence numbers.
 */
export function findInHand(
  journal: readonly JournalEntry[],
  takenOver: readonly TakenOver[],
): ReadonlySet<number> {
  const executed = journal.filter(({ executedAtMs }) => executedAtMs !== null);
  const byChat = Map.groupBy(executed, ({ chatId }) => String(chatId));
  const found = new Set<number>();
  for (const { atEpochMs, payload } of takenOver) {
    const call = callOf(payload);
    // A chat's sends keep their order, so only its last call before can be the one in hand.
    const last = byChat
      .get(call.chat)
      ?.findLast(({ arrivedAtEpochMs }) => arrivedAtEpochMs <= atEpochMs + lateMs);
    if (last && nameOfReply(last) === nameOfReply(call)) found.add(last.sequence);
  }
  return found;
}
