/** Books: what `npm run reconcile` compares, and how it names a difference. */
import type { Books } from "../../kit/module.ts";
import { compareBooks, fetchTransactions } from "./reconciliation.ts";
import { type StarTables, starTables } from "./star-tables.ts";
import { starTexts } from "./texts.ts";

export const paymentBooks: Books<StarTables> = {
  tables: starTables,
  compare: async (tables, ask, nowEpochMs) => {
    const listed = await fetchTransactions((page) => ask("getStarTransactions", page));
    const texts = starTexts("en");
    const differences = await compareBooks(tables, listed, nowEpochMs);
    return differences.map(({ chargeId, kind, total }) =>
      texts.difference(chargeId, String(total), texts.differences[kind]),
    );
  },
};
