/**
 * Missed tasks: finds later handlers and due instants of a schedule that did not run (P2).
 *
 * Each run leaves a ledger entry of a user of its own. That none runs twice is seen by the checker of
 * histories, because their entries would have the same name.
 */
import type { MissedPolicy } from "../../bot/kit/schedule-rules.ts";
import type { ReadTable } from "../history/from-database.ts";

/** The ledger's user for what tasks do. */
export const taskUser = 3_000_000_000;
export const scheduleName = "tick";
/** Milliseconds between two instants. */
export const tickEveryMs = 30_000;

/** The names of entries. A number that differs in each run follows. */
export const entryOfLater = (key: string) => `later:${key}`;
export const entryOfTick = (dueAtEpochMs: number, missedFromEpochMs = dueAtEpochMs) =>
  `${scheduleName}:${dueAtEpochMs}:${missedFromEpochMs}`;

export interface MissedTasksOptions {
  /** Keys of the later handlers that updates ask for. */
  readonly later: readonly string[];
  readonly missed: MissedPolicy;
  /** Whether all had time to run. */
  readonly drained: boolean;
}

export function findMissedTasks(
  read: ReadTable,
  { drained, later, missed }: MissedTasksOptions,
): string[] {
  const ran = read("ledger")
    .filter((row) => Number(row["user_id"]) === taskUser)
    .map((row) => String(row["reference"]).replace(/#\d+$/, ""));
  const dead = read("dead_letters").map((row) => String(row["payload"]));
  const missing = drained
    ? later.filter((key) => !ran.includes(entryOfLater(key)) && !dead.some(names(key)))
    : [];
  const chains = read("messages").filter(({ lane }) => lane === `schedule:${scheduleName}`);
  const begun = drained || ran.some((entry) => entry.startsWith(scheduleName));
  return [
    ...missing.map((key) => `the later handler of ${key} never ran`),
    ...(begun && chains.length === 0 ? ["nothing waits for the schedule's next instant"] : []),
    ...(dead.some(names(scheduleName)) ? [] : findGaps(ran, missed)),
  ];
}

/** Whether a dead letter is the task itself or the update that asks for it. */
function names(key: string): (payload: string) => boolean {
  const pattern = new RegExp(`/work ${key} |"(?:key|schedule)":"${key}"`);
  return (payload) => pattern.test(payload);
}

/** Instants that no run stands for, and those that ran after a later one. */
function findGaps(ran: readonly string[], missed: MissedPolicy): string[] {
  const ticks = ran.flatMap((entry) => {
    const [name, due, from] = entry.split(":");
    return name === scheduleName ? [{ due: Number(due), from: Number(from) }] : [];
  });
  return ticks.slice(1).flatMap(({ from }, index) => {
    const expected = Number(ticks[index]?.due) + tickEveryMs;
    if (from === expected || (missed === "skip" && from > expected)) return [];
    return [`after the instant before ${expected}, the one of ${from} ran`];
  });
}
