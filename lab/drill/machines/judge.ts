/** Judge of machines: counts what faults have cost, from the sandbox's journal and from PostgreSQL. */
import { existingKeysIn } from "../../../bot/config/key-file.ts";
import { RowReader } from "../../../bot/storage/postgres/row-reader.ts";
import type { JournalEntry, UpdateFact } from "../../../sandbox/control-api.ts";
import { callOf, type ReadTable, type Row } from "../../history/from-database.ts";
import { type Crowd, firstCallerId, nameOfReply } from "../crowd.ts";
import { allFacts, type Judgement, weighEvidence } from "../judge.ts";
import { seconds } from "../run-fault.ts";
import { figuresOf } from "./holdings.ts";
import { alertAtMs, findForgotten, judgeReports, reportsOf } from "./loss.ts";
import { type TakenOver, takenOverSql } from "./observer.ts";
import type { MachinesScene } from "./scene.ts";

const tables = ["accounts", "dead_letters", "dedupe", "ledger", "messages", "orders"] as const;

/** A request may wait so long in the server's socket while its process is already gone. */
const lateMs = 200;

export interface MachinesJudgement extends Judgement {
  /** The longest time from a message to its reply, of the people who wrote one. */
  readonly longestWaitMs: number;
  /** Sentences on what PostgreSQL lost, if it did, and what was said of it. */
  readonly losses: readonly string[];
}

/** Call it after the last stop of all processes. */
export async function judgeMachines(scene: MachinesScene): Promise<MachinesJudgement> {
  const { cluster, crowd, directory, losses, observer, sandbox } = scene;
  const journal = await sandbox.journalAll();
  const facts = await allFacts(sandbox);
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
    const forgotten = findForgotten(journal, countOwed(facts, crowd), losses);
    const calls = journal
      .filter(({ sequence }) => !forgotten.has(sequence))
      .map((call) => ({ ...call, ambiguous: inHand.has(call.sequence) }));
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
    const said = await judgeLosses(scene, journal, forgotten.size);
    const problems = [...judgement.problems, ...refusals, ...givenUp, ...said.problems];
    return {
      ...{ ...judgement, ambiguous: judgement.ambiguous + forgotten.size },
      ...{ refused: refused.length, longestWaitMs: findLongestWait(journal, facts) },
      ...{ losses: said.sentences, problems },
    };
  } finally {
    await rows.close();
  }
}

/** Counts the replies that each chat is owed, by name. */
function countOwed(facts: readonly UpdateFact[], crowd: Crowd) {
  const counts = new Map<string, number>();
  for (const { chatId, updateId } of facts) {
    for (const reply of crowd.owed(updateId).replies ?? []) {
      const key = `${chatId} ${reply}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return (chat: string, reply: string) => counts.get(`${chat} ${reply}`) ?? 0;
}

async function judgeLosses(
  { losses, machines, observer }: MachinesScene,
  journal: readonly JournalEntry[],
  repeated: number,
) {
  const sentences: string[] = [];
  const problems: string[] = [];
  for (const loss of losses) {
    const lost = await figuresOf(loss, observer.schema);
    const reports = reportsOf(machines, loss);
    problems.push(...judgeReports(lost, reports, machines.length));
    const said = reports.map(({ afterMs, commits }) => `${commits} after ${seconds(afterMs)}`);
    sentences.push(
      `lost with the primary: ${lost.commits} commits (${lost.updates} updates, ${lost.entries} entries of the ledger)`,
      `reported: ${said.join(", ")}; an administrator was alerted after ${seconds((alertAtMs(journal) ?? 0) - loss.untilMs)}`,
      `replies sent again: ${repeated}`,
    );
  }
  return { problems, sentences };
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
