/**
 * Reconciliation program: `npm run reconcile`. Compares the books with Telegram's list of payments, also while
 * the bot runs, and changes nothing. Exits with 65 when they differ.
 */
import { join } from "node:path";
import { encryptionKeysOf } from "../config/key-file.ts";
import { systemClock } from "../core/clock.ts";
import { BooksDifferError, UsageError } from "../core/errors.ts";
import { readTables } from "../storage/sqlite/table-reader.ts";
import { BotApiClient } from "../telegram/client/bot-api-client.ts";
import { runProgram } from "./program.ts";

const usage = "Usage: npm run reconcile [-- --bot ID]";

await runProgram(usage, 0, async ({ config, directory, module, say }) => {
  const { books, name } = module;
  if (!books) throw new UsageError(`the bot "${name}" keeps no books that Telegram knows of`);
  const { apiRoot, callDeadlineMs: deadlineMs, httpsProxy, token } = config.telegram;
  if (!token) throw new UsageError("TELEGRAM_BOT_TOKEN is not set, so Telegram cannot be asked");
  const client = new BotApiClient({
    ...{ apiRoot, clock: systemClock, connections: 1, deadlineMs, token },
    ...(httpsProxy && { httpsProxy }),
  });
  const keys = encryptionKeysOf(config.storage);
  const nowEpochMs = systemClock.epochMs();
  try {
    const lines = await readTables(join(directory, "bot.db"), keys, books.tables, (tables) =>
      books.compare(tables, (method, fields) => client.call(method, fields), nowEpochMs),
    );
    if (lines.length > 0) throw new BooksDifferError(lines);
    say("The books agree with Telegram's list.");
  } finally {
    await client.close();
  }
});
