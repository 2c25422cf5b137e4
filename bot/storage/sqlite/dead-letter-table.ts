/**
 * Dead letter table: keeps messages that were given up, with all that is needed to requeue them.
 */
import type { DeadLetter, DeadReason } from "../../core/message.ts";
import type { DeadLetterFilter, PageRequest } from "../../core/store.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { type DeadLetterRow, type MessageRow, toDeadLetter } from "./message-rows.ts";
import type { Database } from "./sqlite-driver.ts";

const filter = `(?1 IS NULL OR type = ?1) AND (?2 IS NULL OR reason = ?2)
  AND (?3 IS NULL OR errors ->> '$[#-1].code' = ?3)`;
/** A message skipped in its lane died in its own lane, which is named after the first. */
const ofLane = "lane = ?1 OR lane GLOB ?1 || '~*'";

export class DeadLetterTable {
  readonly #ring: KeyRing;
  readonly #sql;

  constructor(database: Database, ring: KeyRing) {
    this.#ring = ring;
    const sql = (text: string) => database.prepare(text);
    const stepsOf = (which: string) =>
      sql(`DELETE FROM steps WHERE origin IN
             (SELECT COALESCE(origin, id) FROM dead_letters WHERE ${which})`);
    this.#sql = {
      insert: sql(
        `INSERT INTO dead_letters (id, type, pool, lane, priority, payload, created_at, died_at,
           reason, attempts, deaths, origin, ambiguous, flood_scope, flood_cost, errors, key)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      list: sql(
        `SELECT * FROM dead_letters WHERE ${filter}
         ORDER BY died_at DESC, id DESC LIMIT ?4 OFFSET ?5`,
      ),
      count: sql(`SELECT count(*) AS count FROM dead_letters WHERE ${filter}`),
      find: sql("SELECT * FROM dead_letters WHERE id = ?"),
      findByKey: sql("SELECT id, died_at FROM dead_letters WHERE key = ? ORDER BY id DESC LIMIT 1"),
      take: sql("DELETE FROM dead_letters WHERE id = ? RETURNING *"),
      deleteSteps: sql("DELETE FROM steps WHERE origin = ?"),
      deleteOfLane: sql(`DELETE FROM dead_letters WHERE ${ofLane}`),
      deleteStepsOfLane: stepsOf(ofLane),
      sweep: sql("DELETE FROM dead_letters WHERE died_at < ?"),
      sweepSteps: stepsOf("died_at < ?"),
      lastId: sql("SELECT max(id) AS id FROM dead_letters"),
    };
  }

  /** The highest id of a dead letter; 0 when there is none. */
  get lastId(): number {
    return this.#sql.lastId.get<{ id: number | null }>()?.id ?? 0;
  }

  /** @param payload The sealed payload. @param errors The errors as stored, including the last. */
  add(
    row: MessageRow,
    payload: Uint8Array,
    { reason, errors, now }: { reason: DeadReason; errors: string; now: number },
  ): void {
    const unattempted = reason === "quarantined" || reason === "lane-full";
    this.#sql.insert.run(
      row.id,
      row.type,
      row.pool,
      row.lane,
      row.priority,
      payload,
      row.created_at,
      now,
      reason,
      unattempted ? row.attempts : row.attempts + 1,
      row.deaths,
      row.origin,
      row.ambiguous,
      row.flood_scope,
      row.flood_cost,
      errors,
      row.key,
    );
  }

  /** Lists dead letters, newest first. */
  list({ code, limit, offset, reason, type }: DeadLetterFilter & PageRequest): DeadLetter[] {
    return this.#sql.list
      .all<DeadLetterRow>(type ?? null, reason ?? null, code ?? null, limit, offset)
      .map((row) => toDeadLetter(row, this.#ring));
  }

  count({ code, reason, type }: DeadLetterFilter = {}): number {
    const wanted = [type ?? null, reason ?? null, code ?? null] as const;
    return this.#sql.count.get<{ count: number }>(...wanted)?.count ?? 0;
  }

  find(id: number): DeadLetter | undefined {
    const row = this.#sql.find.get<DeadLetterRow>(id);
    return row && toDeadLetter(row, this.#ring);
  }

  /** The newest one with this key. */
  findByKey(key: string): { readonly id: number; readonly died_at: number } | undefined {
    return this.#sql.findByKey.get<{ id: number; died_at: number }>(key);
  }

  /** Removes a dead letter to put it back into the queue; its steps stay. */
  take(id: number): DeadLetterRow | undefined {
    return this.#sql.take.get<DeadLetterRow>(id);
  }

  /** @returns false when there was no such dead letter. */
  delete(id: number): boolean {
    const row = this.take(id);
    if (row) this.#sql.deleteSteps.run(row.origin ?? row.id);
    return row !== undefined;
  }

  /** @returns how many were deleted. */
  deleteOfLane(lane: string): number {
    this.#sql.deleteStepsOfLane.run(lane);
    return this.#sql.deleteOfLane.run(lane);
  }

  /** Deletes the dead letters that died before this instant. @returns how many were deleted. */
  sweep(beforeEpochMs: number): number {
    this.#sql.sweepSteps.run(beforeEpochMs);
    return this.#sql.sweep.run(beforeEpochMs);
  }
}
