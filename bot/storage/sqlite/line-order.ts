/**
 * Line order: in which order messages stand in their lanes after a start, beginning with the first.
 *
 * It is that of their ids, into which those that were delayed are merged at the instant at which they
 * entered their lanes. Messages that are in hand stand before all others.
 */
import type { IndexRow } from "./message-table.ts";

type Placed = Pick<IndexRow, "created_at" | "enters_at">;

/**
 * @param byId All messages in the order of their ids.
 * @param entered Those that were delayed and have entered, in the order in which they did.
 */
export function* lineOrder<Row extends Placed>(
  byId: Iterable<Row>,
  entered: readonly Row[],
): Iterable<Row> {
  let next = 0;
  for (const row of byId) {
    if (row.enters_at !== null) continue;
    for (let one = entered[next]; one && Number(one.enters_at) <= row.created_at; ) {
      yield one;
      one = entered[++next];
    }
    yield row;
  }
  yield* entered.slice(next);
}
