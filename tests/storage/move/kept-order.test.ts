/** The order of lanes is kept where it is not the order of the messages' ids. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { entriesKeepingOrder, type Ranked } from "../../../bot/storage/move/kept-order.ts";
import { lineOrder } from "../../../bot/storage/sqlite/line-order.ts";

/** Messages with any ids and instants, in two lanes. */
const messages = fc
  .uniqueArray(fc.nat({ max: 30 }), { maxLength: 14 })
  .chain((ids) =>
    fc.tuple(
      fc.constant(ids),
      fc.array(
        fc.record({
          lane: fc.constantFrom("a", "b"),
          created_at: fc.integer({ min: 100, max: 110 }),
          enters_at: fc.option(fc.integer({ min: 100, max: 115 })),
        }),
        { minLength: ids.length, maxLength: ids.length },
      ),
    ),
  )
  .map(([ids, more]): readonly Ranked[] => {
    const ranks = new Map<string, number>();
    return more.map((row, index) => {
      const rank = (ranks.get(row.lane) ?? 0) + 1;
      ranks.set(row.lane, rank);
      return { ...row, id: ids[index] as number, pool: "handling", rank };
    });
  });

function linedUp(rows: readonly Ranked[]): readonly Ranked[] {
  const byId = rows.toSorted((a, b) => a.id - b.id);
  const entered = byId
    .filter(({ enters_at: at }) => at !== null)
    .sort((a, b) => Number(a.enters_at) - Number(b.enters_at) || a.id - b.id);
  return [...lineOrder(byId, entered)];
}

test("whatever ids and instants the messages have, each lane keeps its order", () => {
  fc.assert(
    fc.property(messages, (rows) => {
      const entries = entriesKeepingOrder(rows);
      const moved = rows.map((row) => ({
        ...row,
        enters_at: entries.get(row.id) ?? row.enters_at,
      }));
      for (const lane of ["a", "b"]) {
        const ranks = linedUp(moved).flatMap((row) => (row.lane === lane ? [row.rank] : []));
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
      }
      // No message enters later than it did, so none enters in the future.
      for (const { created_at, enters_at, id } of rows) {
        expect(entries.get(id) ?? 0).toBeLessThanOrEqual(enters_at ?? created_at);
      }
    }),
    { numRuns: 300 },
  );
});

test("where ids and instants give the order already, nothing is changed", () => {
  const row = { pool: "handling", lane: "a", created_at: 5, enters_at: null };
  expect(
    entriesKeepingOrder([
      { ...row, id: 1, rank: 1 },
      { ...row, id: 2, rank: 2 },
    ]),
  ).toEqual(new Map());
});
