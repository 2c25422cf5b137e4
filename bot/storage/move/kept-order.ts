/**
 * Kept order: lets SQLite line messages up as they stood on an engine that keeps an order of its own.
 *
 * SQLite lines them up by their ids and by the instants at which they entered their lanes. Ids are kept when
 * data are moved, so where they would give another order the messages of the lane get such instants, each as
 * late as its own instant allows.
 */
import { lineOrder } from "../sqlite/line-order.ts";

export interface Ranked {
  readonly id: number;
  readonly pool: string;
  readonly lane: string;
  readonly rank: number;
  readonly created_at: number;
  readonly enters_at: number | null;
}

/** @returns the instants to change, by message. @param rows All that stand in lanes, without those in hand. */
export function entriesKeepingOrder(rows: readonly Ranked[]): ReadonlyMap<number, number> {
  const entries = new Map<number, number>();
  const lanes = Map.groupBy(rows, laneOf);
  for (;;) {
    const now = rows.map((row) => ({ ...row, enters_at: entries.get(row.id) ?? row.enters_at }));
    const wrong = lanesOutOfOrder(now);
    if (wrong.size === 0) return entries;
    // A lane is right for good once all its messages have such instants.
    for (const lane of wrong) setEntries(lanes.get(lane) ?? [], entries);
  }
}

function lanesOutOfOrder(rows: readonly Ranked[]): ReadonlySet<string> {
  const byId = rows.toSorted((a, b) => a.id - b.id);
  const entered = byId
    .filter(({ enters_at }) => enters_at !== null)
    .sort((a, b) => Number(a.enters_at) - Number(b.enters_at) || a.id - b.id);
  const reached = new Map<string, number>();
  const wrong = new Set<string>();
  for (const row of lineOrder(byId, entered)) {
    const lane = laneOf(row);
    if ((reached.get(lane) ?? 0) > row.rank) wrong.add(lane);
    reached.set(lane, row.rank);
  }
  return wrong;
}

function setEntries(lane: readonly Ranked[], entries: Map<number, number>): void {
  let next: { readonly id: number; readonly at: number } | undefined;
  for (const { created_at, enters_at, id } of lane.toSorted((a, b) => b.rank - a.rank)) {
    const own = enters_at ?? created_at;
    const latest = next ? next.at - (id < next.id ? 0 : 1) : own;
    next = { id, at: Math.min(own, latest) };
    entries.set(id, next.at);
  }
}

function laneOf({ lane, pool }: Ranked): string {
  return `${pool}|${lane}`;
}
