/**
 * Clock step: moves stored instants along when the wall clock was set between two processes.
 *
 * Otherwise waiting messages would also wait for the length of a step back, messages sent a moment ago would
 * seem to lie in the future, and a step forward would end waits and open flood windows early. The move is
 * permanent, so no later start finds the step again.
 *
 * Every process leaves a fact: the boot of the machine, and when that was by its wall clock. A process in the
 * same boot knows the step exactly. Any other one sees only a step back, by instants in the future.
 */
import type { MachineBoot } from "../../core/machine-boot.ts";
import type { Database } from "./sqlite-driver.ts";

/**
 * Smaller differences are ignored: clocks are rounded and adjusted, and a second more is harmless.
 */
const stepMsMin = 1_000;

/** Name of the fact that each process leaves for the next. */
const bootFact = "storage.machine-boot";

interface BootRecord {
  readonly id: string;
  readonly uptimeMs: number;
  /** When the machine booted, by the wall clock of the process that wrote this. */
  readonly bootedAtEpochMs: number;
}

/** The latest instant that earlier processes recorded as their present; a message in hand had entered its lane. */
const latest = `SELECT max(at) AS at FROM (
  SELECT max(started_at) AS at FROM boots
  UNION ALL SELECT max(ended_at) FROM boots
  UNION ALL SELECT max(created_at) FROM messages
  UNION ALL SELECT max(enters_at) FROM messages WHERE id IN (SELECT value FROM in_hand, json_each(ids))
  UNION ALL SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'probe')`;

/** Selects the facts that hold an instant (core/store.ts). */
const instants = "name = 'probe' OR name LIKE '%-until'";

const moves: readonly string[] = [
  `UPDATE messages SET created_at = created_at - ?1, available_at = available_at - ?1,
     expires_at = expires_at - ?1, enters_at = enters_at - ?1`,
  "UPDATE parks SET not_before = not_before - ?1",
  "UPDATE sent SET at = at - ?1",
  "UPDATE boots SET started_at = started_at - ?1, ended_at = ended_at - ?1",
  `UPDATE settings SET value = CAST(CAST(value AS INTEGER) - CAST(?1 AS INTEGER) AS TEXT) WHERE ${instants}`,
  "UPDATE dedupe SET expires_at = expires_at - ?1",
  "UPDATE documents SET expires_at = expires_at - ?1 WHERE expires_at IS NOT NULL",
  "UPDATE dead_letters SET created_at = created_at - ?1, died_at = died_at - ?1",
  "UPDATE message_references SET at = at - ?1",
];

/**
 * Undoes a step. Call it before anything is written with the new clock.
 *
 * @param boot The machine's boot at `nowEpochMs`, where the system tells.
 * @returns the latest present of the processes before, by the new clock: at most a second ahead of `nowEpochMs`.
 */
export function undoClockStep(
  database: Database,
  nowEpochMs: number,
  boot: MachineBoot | undefined,
): number {
  const latestEpochMs = database.prepare(latest).get<{ at: number | null }>()?.at ?? 0;
  const record = boot && { ...boot, bootedAtEpochMs: Math.round(nowEpochMs - boot.uptimeMs) };
  const knownMs = record && stepBackMs(readRecord(database), record);
  // What was somebody's present cannot become a future: then a program that leaves no record ran in between.
  const known = knownMs !== undefined && latestEpochMs - knownMs < nowEpochMs + stepMsMin;
  const backMs = known ? knownMs : Math.max(0, latestEpochMs - nowEpochMs);
  const movedMs = Math.abs(backMs) < stepMsMin ? 0 : backMs;
  database.exec("BEGIN IMMEDIATE");
  if (movedMs !== 0) for (const move of moves) database.prepare(move).run(movedMs);
  database
    .prepare("INSERT OR REPLACE INTO settings VALUES (?, ?)")
    .run(bootFact, JSON.stringify(record ?? null));
  database.exec("COMMIT");
  return latestEpochMs - movedMs;
}

/** By how much the wall clock was set back; negative forward; `undefined` when the records cannot tell. */
function stepBackMs(before: BootRecord | undefined, now: BootRecord): number | undefined {
  if (before?.id !== now.id || before.uptimeMs > now.uptimeMs) return undefined;
  return before.bootedAtEpochMs - now.bootedAtEpochMs;
}

function readRecord(database: Database): BootRecord | undefined {
  const row = database
    .prepare("SELECT value FROM settings WHERE name = ?")
    .get<{ value: string }>(bootFact);
  return row ? ((JSON.parse(row.value) as BootRecord | null) ?? undefined) : undefined;
}
