/**
 * Loss: what PostgreSQL has confirmed and lost, because a standby that was behind took the primary's place.
 *
 * The lost primary is the witness: its directory is still there, and after the run it is asked for what it
 * had. The standby was asked before it was promoted. What the bot says of the loss is held to that.
 */
import type { JournalEntry } from "../../../sandbox/control-api.ts";
import { eventually, nowMs, pause } from "../bot-process.ts";
import { nameOfReply } from "../crowd.ts";
import type { PostgresServer } from "./postgres-server.ts";
import type { Machine, MachinesScene } from "./scene.ts";

/** What a server has of what it confirmed. */
interface Holdings {
  /** Commits by number of the process. */
  readonly commits: ReadonlyMap<number, number>;
  readonly updates: ReadonlySet<string>;
  /** Entries of the ledger. */
  readonly entries: ReadonlySet<string>;
}

export interface Loss {
  /** The lost primary; it is ended. */
  readonly former: PostgresServer;
  /** What the standby had when it was promoted. */
  readonly kept: Holdings;
  /** From when to when nothing of what was done was kept. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What the lost primary had and the standby had not. */
export interface LossFigures {
  readonly commits: number;
  readonly updates: number;
  readonly entries: number;
}

/** What a process said of it. */
export interface Report {
  readonly commits: number;
  /** Milliseconds since the promotion. */
  readonly afterMs: number;
}

/** The administrator, who is to be alerted. */
export const adminId = 9_001;

/** Within this time the loss has to be said. */
const reportMsMax = 10_000;
/** An alert may wait until a minute has passed since the last one. */
const alertMsMax = 90_000;

/** Lets people be answered for this long by a primary that keeps its commits for itself, and loses it. */
export async function loseCommits(scene: MachinesScene, lastsMs: number): Promise<void> {
  const { cluster, losses, machines, observer, sandbox } = scene;
  // Telegram lets a bot write only to people who have written to it.
  await sandbox.write({ userId: adminId, text: "/help" });
  await cluster.beAsynchronous();
  const fromMs = nowMs();
  await cluster.cutReplication();
  await pause(lastsMs);
  const former = cluster.primary;
  await former.stop("QUIT");
  const kept = await holdingsOf(cluster.standby, observer.schema);
  await cluster.promote();
  losses.push({ former, kept, fromMs, untilMs: nowMs() });
  await eventually("every process has an incident of the loss", () => everyIncident(machines));
  await eventually("an administrator is alerted", () => isAlerted(scene), alertMsMax);
}

async function everyIncident(machines: readonly Machine[]): Promise<boolean> {
  const answers = await Promise.all(
    machines.map(({ bot }) =>
      bot.ask<{ incidents: readonly { trouble: string }[] }>("/api/incidents"),
    ),
  );
  return answers.every((answer) =>
    answer?.incidents.some(({ trouble }) => trouble === "commits-lost"),
  );
}

async function isAlerted({ sandbox }: MachinesScene): Promise<boolean> {
  const calls = await sandbox.journalAll();
  return calls.some(
    ({ chatId, executedAtMs, parameters }) =>
      chatId === adminId &&
      executedAtMs !== null &&
      /\d+ commits are gone/.test(parameters["text"] ?? ""),
  );
}

async function holdingsOf(server: PostgresServer, schema: string): Promise<Holdings> {
  const texts = async (sql: string) =>
    new Set((await server.query<{ text: string }>(sql)).map(({ text }) => text));
  const rows = await server.query<{ number: string; commits: string }>(
    `SELECT number, commits FROM ${schema}.processes`,
  );
  return {
    commits: new Map(rows.map(({ commits, number }) => [Number(number), Number(commits)])),
    updates: await texts(`SELECT key AS text FROM ${schema}.dedupe WHERE key LIKE 'update:%'`),
    entries: await texts(`SELECT kind || ' of ' || reference AS text FROM ${schema}.ledger`),
  };
}

/** Asks the lost primary. Call it when no process can reach it any more. */
export async function figuresOf({ former, kept }: Loss, schema: string): Promise<LossFigures> {
  await former.start();
  const had = await holdingsOf(former, schema);
  await former.stop("QUIT");
  const commits = [...had.commits].map(
    ([number, count]) => count - (kept.commits.get(number) ?? 0),
  );
  return {
    commits: commits.reduce((sum, count) => sum + count, 0),
    updates: missing(had.updates, kept.updates),
    entries: missing(had.entries, kept.entries),
  };
}

function missing(had: ReadonlySet<string>, kept: ReadonlySet<string>): number {
  return [...had].filter((one) => !kept.has(one)).length;
}

/** What the processes' logs say. */
export function reportsOf(machines: readonly Machine[], { untilMs }: Loss): readonly Report[] {
  return machines.flatMap(({ bot }) =>
    bot.lines
      .filter(({ text }) => text.includes("storage.commits-lost"))
      .map(({ atMs, text }) => ({
        commits: Number(/"commits":(\d+)/.exec(text)?.[1]),
        afterMs: atMs - untilMs,
      })),
  );
}

/** One sentence for each thing about the loss that was not said, was wrong, or came late. */
export function judgeReports(
  lost: LossFigures,
  reports: readonly Report[],
  processes: number,
): readonly string[] {
  const problems: string[] = [];
  const said = reports.reduce((sum, { commits }) => sum + commits, 0);
  if (lost.updates === 0)
    problems.push("no update was lost with the primary, so this shows nothing");
  // A commit that was not answered yet when the primary died is nobody's to report.
  if (said > lost.commits || said < lost.commits - processes) {
    problems.push(`${lost.commits} commits were lost, and ${said} reported`);
  }
  const lastMs = Math.max(0, ...reports.map(({ afterMs }) => afterMs));
  if (lastMs > reportMsMax) problems.push(`a loss was reported after ${Math.round(lastMs)} ms`);
  return problems;
}

/**
 * Finds the calls that had to be made again, because nothing is left of the first time: of a reply that a
 * chat got more often than it was owed, those within the loss.
 *
 * @param owed How often a chat is owed a reply of this name.
 * @returns their sequence numbers.
 */
export function findForgotten(
  journal: readonly JournalEntry[],
  owed: (chat: string, reply: string) => number,
  losses: readonly Pick<Loss, "fromMs" | "untilMs">[],
): ReadonlySet<number> {
  const found = new Set<number>();
  const executed = journal.filter(({ executedAtMs }) => executedAtMs !== null);
  const named = Map.groupBy(executed, (call) => `${call.chatId} ${nameOfReply(call)}`);
  for (const calls of named.values()) {
    const [{ chatId } = { chatId: null }] = calls;
    const reply = calls[0] && nameOfReply(calls[0]);
    if (chatId === null || reply === undefined) continue;
    const surplus = calls.length - owed(String(chatId), reply);
    const within = calls.filter(({ arrivedAtMs }) =>
      losses.some(({ fromMs, untilMs }) => fromMs <= arrivedAtMs && arrivedAtMs <= untilMs),
    );
    for (const { sequence } of within.slice(0, Math.max(0, surplus))) found.add(sequence);
  }
  return found;
}
