/** /balance: shows the balance and the last entries. */
import { type Statement, statement } from "../accounts.ts";
import { type CommandOptions, createRoutes, type Routes, type Turn } from "./routes.ts";

/** How many entries are shown, newest first. */
const entriesShown = 10;

export function balanceRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  routes.privateCommand("balance", async (turn) => {
    const { userId } = turn.visitor;
    const { result } = await turn.account((tx) => statement(tx, userId, entriesShown));
    await turn.ctx.reply(statementText(turn, result));
  });
  return routes;
}

function statementText({ texts, format }: Turn, { balanceMinor, entries }: Statement): string {
  const lines = entries.map((entry) =>
    texts.entry(
      format.instant(entry.createdAtEpochMs),
      format.change(entry.amountMinor),
      texts.entryKinds[entry.kind],
    ),
  );
  const list = lines.length > 0 ? [texts.lastEntries, ...lines] : [texts.noEntries];
  return [texts.balance(format.money(balanceMinor)), ...list].join("\n\n");
}
