/**
 * Clock step: moves stored instants back when the wall clock was set back between two processes.
 *
 * Otherwise waiting messages would also wait for the length of the step, and messages sent a moment
 * ago would seem to lie in the future. The move is permanent, so no later start finds the step
 * again.
 */
import type { Database } from "./sqlite-driver.ts";

/**
 * Smaller differences are ignored: clocks are rounded and adjusted, and a second more is harmless.
 */
const stepMsMin = 1_000;

/** The latest instant that earlier processes recorded as their present. */
const latest = `SELECT max(at) AS at FROM (
  SELECT max(started_at) AS at FROM boots
  UNION ALL SELECT max(ended_at) FROM boots
  UNION ALL SELECT max(created_at) FROM messages
  UNION ALL SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'probe')`;

/** Selects the facts that hold an instant (core/store.ts). */
const instants = "name = 'probe' OR name LIKE '%-until'";

const moves: readonly string[] = [
  `UPDATE messages SET created_at = created_at - ?1, available_at = available_at - ?1,
     expires_at = expires_at - ?1`,
  "UPDATE lanes SET available_at = available_at - ?1, not_before = not_before - ?1",
  "UPDATE sent SET at = at - ?1",
  "UPDATE boots SET started_at = started_at - ?1, ended_at = ended_at - ?1",
  `UPDATE settings SET value = CAST(CAST(value AS INTEGER) - CAST(?1 AS INTEGER) AS TEXT) WHERE ${instants}`,
];

/** Undoes a step back. Call it before anything is written with the new clock. */
export function undoClockStep(database: Database, nowEpochMs: number): void {
  const stepMs = (database.prepare(latest).get<{ at: number | null }>()?.at ?? 0) - nowEpochMs;
  if (stepMs < stepMsMin) return;
  database.exec("BEGIN IMMEDIATE");
  for (const move of moves) database.prepare(move).run(stepMs);
  database.exec("COMMIT");
}
