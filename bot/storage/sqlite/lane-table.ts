/**
 * Lane table: keeps one row per waiting line, so that claiming never reads the backlog.
 *
 * A lane's priority is the highest of all its waiting messages: a reply behind a broadcast in the
 * same chat pulls the lane forward without changing the order within the chat.
 * An empty lane stays only while it is parked (`not_before`), so the parking outlives its messages.
 */

import { type Pool, priorities } from "../../core/message.ts";
import type { ClaimCandidate, WaitingLane } from "../../core/store.ts";
import type { MessageRow } from "./message-rows.ts";
import type { Database } from "./sqlite-driver.ts";

interface LaneRow {
  readonly head_id: number | null;
  readonly high: number;
  readonly normal: number;
  readonly low: number;
  readonly priority: number;
  readonly available_at: number;
  readonly not_before: number;
}

interface CandidateRow {
  readonly head_id: number;
  readonly lane: string;
  readonly priority: number;
  readonly flood_scope: string | null;
  readonly flood_cost: number;
}

interface WaitingLaneRow {
  readonly lane: string;
  readonly pool: Pool;
  readonly available_at: number;
  readonly not_before: number;
  readonly created_at: number;
  readonly attempts: number;
}

const candidateColumns = `l.head_id, l.lane, l.priority, m.flood_scope, m.flood_cost
  FROM lanes l JOIN messages m ON m.id = l.head_id`;

export class LaneTable {
  readonly #sql;

  constructor(database: Database) {
    this.#sql = {
      find: database.prepare("SELECT * FROM lanes WHERE lane = ? AND pool = ?"),
      insert: database.prepare(
        `INSERT INTO lanes (lane, pool, head_id, high, normal, low, priority, available_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      update: database.prepare(
        `UPDATE lanes SET head_id = ?, high = ?, normal = ?, low = ?, priority = ?, available_at = ?
         WHERE lane = ? AND pool = ?`,
      ),
      advance: database.prepare(
        `UPDATE lanes SET head_id = ?, high = ?, normal = ?, low = ?, priority = ?,
           available_at = ?, deaths = ?, busy = 0
         WHERE lane = ? AND pool = ?`,
      ),
      delete: database.prepare("DELETE FROM lanes WHERE lane = ? AND pool = ?"),
      next: database.prepare(
        `SELECT id, available_at, deaths FROM messages
         WHERE lane = ? AND pool = ? ORDER BY id LIMIT 1`,
      ),
      take: database.prepare("UPDATE lanes SET busy = 1 WHERE lane = ? AND pool = ?"),
      free: database.prepare(
        `UPDATE lanes SET busy = 0, deaths = ?, available_at = max(?, not_before)
         WHERE lane = ? AND pool = ?`,
      ),
      delay: database.prepare("UPDATE lanes SET available_at = ? WHERE lane = ? AND pool = ?"),
      park: database.prepare(
        "UPDATE lanes SET not_before = max(not_before, ?) WHERE lane = ? AND pool = ?",
      ),
      ready: database.prepare(
        `SELECT ${candidateColumns}
         WHERE l.pool = ? AND l.priority = ? AND l.busy = 0 AND l.head_id IS NOT NULL
           AND l.available_at <= ? AND l.deaths <= ?
         ORDER BY l.available_at, l.head_id LIMIT ?`,
      ),
      suspects: database.prepare(
        `SELECT ${candidateColumns}
         WHERE l.pool = ? AND l.deaths > 0 AND l.busy = 0 AND l.head_id IS NOT NULL
           AND l.available_at <= ?
         ORDER BY l.deaths, l.head_id LIMIT ?`,
      ),
      nextAvailable: database.prepare(
        `SELECT min(available_at) AS at FROM lanes
         WHERE pool = ? AND priority = ? AND busy = 0 AND head_id IS NOT NULL`,
      ),
      waiting: database.prepare(
        `SELECT l.lane, l.pool, l.available_at, l.not_before, m.created_at, m.attempts
         FROM lanes l JOIN messages m ON m.id = l.head_id
         WHERE l.busy = 0 AND l.available_at > ?1 AND (l.not_before > ?1 OR m.attempts > 0)
         ORDER BY l.available_at DESC LIMIT ?2`,
      ),
      release: database.prepare(
        `UPDATE lanes SET not_before = 0, available_at = ?1
         WHERE lane = ?2 AND pool = ?3 AND busy = 0 AND available_at > ?1`,
      ),
      sweep: database.prepare("DELETE FROM lanes WHERE head_id IS NULL AND not_before <= ?"),
    };
  }

  /** The number of messages in this lane that wait or are being worked on. */
  length(lane: string, pool: Pool): number {
    const row = this.#sql.find.get<LaneRow>(lane, pool);
    return row ? row.high + row.normal + row.low : 0;
  }

  /** Adds a message to the end of the lane. */
  append(lane: string, pool: Pool, messageId: number, priority: number, availableAt: number): void {
    const row = this.#sql.find.get<LaneRow>(lane, pool);
    if (!row) {
      const [high, normal, low] = changedCounts(undefined, priority, 1);
      this.#sql.insert.run(lane, pool, messageId, high, normal, low, priority, availableAt);
      return;
    }
    const counts = changedCounts(row, priority, 1);
    const empty = row.head_id === null;
    this.#sql.update.run(
      empty ? messageId : row.head_id,
      ...counts,
      topPriority(counts),
      empty ? Math.max(availableAt, row.not_before) : row.available_at,
      lane,
      pool,
    );
  }

  /** Makes the next message the head after the head has left, and frees the lane. */
  advance(lane: string, pool: Pool, leftPriority: number, nowEpochMs: number): void {
    const row = this.#sql.find.get<LaneRow>(lane, pool);
    if (!row) return;
    const next = this.#sql.next.get<Pick<MessageRow, "id" | "available_at" | "deaths">>(lane, pool);
    if (!next && row.not_before <= nowEpochMs) {
      this.#sql.delete.run(lane, pool);
      return;
    }
    const counts = changedCounts(row, leftPriority, -1);
    this.#sql.advance.run(
      next?.id ?? null,
      ...counts,
      topPriority(counts),
      Math.max(next?.available_at ?? 0, row.not_before),
      next?.deaths ?? 0,
      lane,
      pool,
    );
  }

  /** Removes a message that was never claimed; its row is already gone. */
  remove(lane: string, pool: Pool, messageId: number, priority: number, nowEpochMs: number): void {
    const row = this.#sql.find.get<LaneRow>(lane, pool);
    if (!row) return;
    if (row.head_id === messageId) {
      this.advance(lane, pool, priority, nowEpochMs);
      return;
    }
    const counts = changedCounts(row, priority, -1);
    const { available_at, head_id } = row;
    this.#sql.update.run(head_id, ...counts, topPriority(counts), available_at, lane, pool);
  }

  take(lane: string, pool: Pool): void {
    this.#sql.take.run(lane, pool);
  }

  /** Returns the head to the lane; it may be claimed again from `availableAt`. */
  free(lane: string, pool: Pool, availableAt: number, deaths: number): void {
    this.#sql.free.run(deaths, availableAt, lane, pool);
  }

  /** Delays the waiting head of this lane until `availableAt`. */
  delay(lane: string, pool: Pool, availableAt: number): void {
    this.#sql.delay.run(availableAt, lane, pool);
  }

  /** Parks the lane: none of its messages starts before `notBefore`, even if its head changes. */
  park(lane: string, pool: Pool, notBefore: number): void {
    this.#sql.park.run(notBefore, lane, pool);
  }

  /** Returns the heads of one priority that may be claimed, longest available first. */
  ready(pool: Pool, priority: number, availableBy: number, withSuspects: boolean, limit: number) {
    // Usually there is none, and reading the first instant costs a third of reading rows.
    const first = this.#firstAvailableAt(pool, priority);
    if (first === null || first > availableBy) return [];
    const deathsMax = withSuspects ? Number.MAX_SAFE_INTEGER : 0;
    return this.#sql.ready
      .all<CandidateRow>(pool, priority, availableBy, deathsMax, limit)
      .map(toCandidate);
  }

  /** Returns the heads claimed when a process died, those with the most deaths last. */
  suspects(pool: Pool, availableBy: number, limit: number) {
    return this.#sql.suspects.all<CandidateRow>(pool, availableBy, limit).map(toCandidate);
  }

  /** Returns the lanes that are parked or whose head backs off, the longest wait first. */
  waiting(nowEpochMs: number, limit: number): readonly WaitingLane[] {
    return this.#sql.waiting.all<WaitingLaneRow>(nowEpochMs, limit).map((row) => ({
      pool: row.pool,
      lane: row.lane,
      parked: row.not_before > nowEpochMs,
      availableAtEpochMs: row.available_at,
      createdAtEpochMs: row.created_at,
      attempts: row.attempts,
    }));
  }

  /** Ends a lane's parking and its head's back-off. @returns false when it does not wait. */
  release(lane: string, pool: Pool, nowEpochMs: number): boolean {
    return this.#sql.release.run(nowEpochMs, lane, pool) > 0;
  }

  nextAvailableAt(pool: Pool): number | undefined {
    const instants = priorities.map((_, priority) => this.#firstAvailableAt(pool, priority));
    const known = instants.filter((at) => at !== null);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  #firstAvailableAt(pool: Pool, priority: number): number | null {
    return this.#sql.nextAvailable.get<{ at: number | null }>(pool, priority)?.at ?? null;
  }

  /** Deletes empty lanes whose parking is over. */
  sweep(nowEpochMs: number): void {
    this.#sql.sweep.run(nowEpochMs);
  }
}

type Counts = readonly [high: number, normal: number, low: number];

function changedCounts(row: LaneRow | undefined, priority: number, change: number): Counts {
  const counts: [number, number, number] = row ? [row.high, row.normal, row.low] : [0, 0, 0];
  counts[priority] = (counts[priority] ?? 0) + change;
  return counts;
}

function topPriority(counts: Counts): number {
  const index = counts.findIndex((count) => count > 0);
  return index < 0 ? priorities.length - 1 : index;
}

function toCandidate(row: CandidateRow): ClaimCandidate {
  return {
    messageId: row.head_id,
    lane: row.lane,
    priority: priorities[row.priority] ?? "low",
    floodScope: row.flood_scope ?? undefined,
    floodCost: row.flood_cost,
  };
}
