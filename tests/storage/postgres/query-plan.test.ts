/**
 * Query plan: a turn reads the rows that it needs, whatever the server believes about the size of its tables.
 *
 * The server counts rows now and then. What it counted while the queue was empty, it believes in the burst.
 */
import { expect, test } from "vitest";
import type { NewMessage } from "../../../bot/core/message.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { byHand, inNewSession, noPostgres } from "../../support/postgres.ts";
import { createPostgresStore, makeSchema } from "../../support/postgres-store.ts";

const lanes = 1_000;
const inTurn = 20;

const update = (chat: number): NewMessage => ({
  ...{ type: "update", pool: "handling", lane: `chat:${chat}`, priority: "normal", payload: {} },
});

test.skipIf(noPostgres)(
  "a turn reads few rows, though the queue was empty when they were counted",
  async () => {
    const schema = makeSchema();
    const store = await createPostgresStore({ schema, clock: new ManualClock() });
    await store.open();
    await store.enqueue(Array.from({ length: lanes }, (_, chat) => update(chat)));
    // The rows stay where they are, and are counted as none: deleted ones that are not cleaned up yet.
    await byHand(
      `BEGIN; DELETE FROM ${schema}.messages; DELETE FROM ${schema}.lanes; ANALYZE; COMMIT`,
    );
    await store.enqueue(Array.from({ length: lanes }, (_, chat) => update(lanes + chat)));
    const claimed = await store.claim({
      ...{ pool: "handling", limit: inTurn, agedLimit: 0, suspects: "with" },
      agedBefore: { normal: 0, low: 0 },
    });
    expect(claimed).toHaveLength(inTurn);
    const ended = claimed.map(({ claims, id }) => ({ id, claims, kind: "done" }));
    const claims = [
      {
        n: 0,
        pool: "handling",
        priorities: [0, 1, 2],
        due: 2 ** 52,
        limit: inTurn,
        suspects: "with",
      },
    ];
    const [taken] = await byHand<{ number: string }>(`SELECT number FROM ${schema}.processes`);
    // The turn is taken back, because all of this is one transaction that fails.
    const counted = inNewSession(`SET search_path = ${schema}; DO $$ BEGIN
    PERFORM turn_2(${taken?.number}, 99, 0, 100, 0, '${JSON.stringify(ended)}', '[]', '{}', '[]',
      '${JSON.stringify(claims)}');
    RAISE EXCEPTION 'read % rows', (SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))
      FROM pg_stat_xact_user_tables WHERE schemaname = '${schema}' AND relname = 'messages');
  END $$`);
    const text = await counted.then(
      () => "nothing",
      (error: Error) => error.message,
    );
    const [, rows] = /^read (\d+) rows$/.exec(text) ?? [text];
    expect(Number(rows)).toBeGreaterThanOrEqual(2 * inTurn);
    expect(Number(rows)).toBeLessThan(20 * inTurn);
  },
);
