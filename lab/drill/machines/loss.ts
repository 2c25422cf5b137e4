/** Loss: plays a failover to a standby that was behind, and judges what the bot says and does about it. */
import type { JournalEntry } from "../../../sandbox/control-api.ts";
import { eventually, nowMs, pause } from "../bot-process.ts";
import { nameOfReply } from "../crowd.ts";
import { holdingsOf, type Loss, type LossFigures } from "./holdings.ts";
import { adminId, type Machine, type MachinesScene } from "./scene.ts";

/** What a process said of it. */
export interface Report {
  readonly commits: number;
  /** Milliseconds since the promotion. */
  readonly afterMs: number;
}

/** Within this time the loss has to be said. */
const reportMsMax = 10_000;
/** An alert waits some seconds for others, and then until sending may begin on the new server. */
const alertMsMax = 30_000;

/** Lets people be answered for this long by a primary that keeps its commits for itself, and loses it. */
export async function loseCommits(scene: MachinesScene, lastsMs: number): Promise<void> {
  const { cluster, losses, machines, observer } = scene;
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
  return alertAtMs(await sandbox.journalAll()) !== undefined;
}

/** When the administrator had the first alert of a loss. */
export function alertAtMs(journal: readonly JournalEntry[]): number | undefined {
  const alert = journal.find(
    ({ chatId, executedAtMs, parameters }) =>
      chatId === adminId &&
      executedAtMs !== null &&
      /\d+ commits are gone/.test(parameters["text"] ?? ""),
  );
  return alert?.executedAtMs ?? undefined;
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
