/** The page "Shop": what it says of a shop's history, on both stores. */
import { describe, expect, test } from "vitest";
import type { Transaction } from "../../../bot/core/transaction.ts";
import type { PanelContent } from "../../../bot/kit/panel.ts";
import { ShopPanel } from "../../../bot/shop/panel/shop-panel.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { noPostgres, orSkipped } from "../../support/postgres.ts";
import { createPostgresStore, makeSchema } from "../../support/postgres-store.ts";
import { QueueMachine } from "../../support/queue-under-test.ts";
import { exampleCatalogue } from "../shop-setup.ts";
import { broadcast, cancel, dayMs, priceMinor, trade } from "./panel-setup.ts";

interface Transactions {
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

const stores: readonly (readonly [
  name: string,
  runs: boolean,
  open: () => Promise<Transactions>,
])[] = [
  [
    "SQLite",
    true,
    async () => {
      const { store } = await new QueueMachine().boot();
      return store;
    },
  ],
  [
    `PostgreSQL${orSkipped}`,
    noPostgres === undefined,
    async () => {
      const store = await createPostgresStore({ clock: new ManualClock(), schema: makeSchema() });
      await store.open();
      return store;
    },
  ],
];

describe.each(stores)("on %s", (_name, runs, open) => {
  test.skipIf(!runs)(
    "turnover, top-ups, open orders and broadcasts are what happened",
    async () => {
      const store = await open();
      let nowEpochMs = Date.UTC(2026, 2, 1, 12);
      let transactions = 0;
      // The store's own clock would have to tick through a month.
      const run = <T>(work: (tx: Transaction) => Promise<T>) => {
        transactions++;
        return store.transaction((tx) =>
          work(Object.create(tx, { nowEpochMs: { value: nowEpochMs } })),
        );
      };
      const panel = new ShopPanel({ catalogue: exampleCatalogue, read: run });
      await trade(run, 7, "Ann", 2);
      nowEpochMs = Date.UTC(2026, 2, 29, 12);
      await trade(run, 8, "Bob", 1);
      nowEpochMs = Date.UTC(2026, 2, 31, 12);
      await trade(run, 7, "Ann", 1);
      await cancel(run, 7, 4);
      await broadcast(run);

      const content = await panel.read();
      // The first of the month is 30 days ago: it is no longer among the last 30 days.
      expect(valuesOf(content)).toEqual([
        ["turnover today", 0],
        ["turnover, 30 days", priceMinor],
        ["orders today", 1],
        ["orders, 30 days", 2],
        ["top-ups today", 1],
        ["top-ups, 30 days", 2],
        ["Stars today", 50],
        ["Stars, 30 days", 100],
      ]);
      expect(content.charts?.map(({ bars }) => bars.length)).toEqual([30, 30]);
      expect(content.charts?.[1]?.bars.slice(-3).map(({ value }) => value)).toEqual([50, 0, 50]);
      const [orders, campaigns] = content.tables ?? [];
      expect(orders?.total).toBe(3);
      expect(orders?.rows.map((row) => row.at(-1))).toEqual(["Ann (7)", "Ann (7)", "Bob (8)"]);
      expect(orders?.columns.filter(({ people }) => people)).toHaveLength(1);
      expect(campaigns?.rows).toHaveLength(1);
      expect(campaigns?.rows[0]?.slice(4)).toEqual([0.3, 10, 2, 1, 0, 0, 0]);
      expect(JSON.stringify(campaigns)).not.toContain("Coffee");

      // What is over is remembered: looking again is one transaction.
      transactions = 0;
      expect(await panel.read()).toEqual(content);
      expect(transactions).toBe(1);
      nowEpochMs = Date.UTC(2026, 3, 1, 0, 30);
      const next = await panel.read();
      expect(
        valuesOf(next)
          .slice(0, 4)
          .map(([, value]) => value),
      ).toEqual([0, priceMinor, 0, 2]);
      expect(next.charts?.[0]?.bars[0]?.atEpochMs).toBe(Date.UTC(2026, 2, 3));
      expect(next.charts?.[0]?.bars.at(-1)?.atEpochMs).toBe(Date.UTC(2026, 2, 31) + dayMs);
    },
  );
});

function valuesOf({ figures = [] }: PanelContent) {
  return figures.map(({ label, value }) => [typeof label === "object" ? label.en : label, value]);
}
