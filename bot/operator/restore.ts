/** Restore program: `npm run restore -- FILE`. Refuses while the bot runs. */
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { DatabaseMark } from "../storage/sqlite/database-mark.ts";
import { restoreBackup } from "../storage/sqlite/restore.ts";
import { runProgram } from "./program.ts";

const usage = "Usage: npm run restore -- FILE [--bot ID]";

await runProgram(usage, 1, ({ config, directory, operands: [named = ""], pathOf, say }) => {
  const file = pathOf(named);
  const replaced = restoreBackup({ directory, file, nowEpochMs: systemClock.epochMs() });
  // The backup may come from another machine, so the next start takes whatever database it was.
  new DatabaseMark(config.log.directory, join(directory, "bot.db")).forget();
  say(`Restored ${file}
into ${directory}`);
  if (replaced !== undefined) say(`The replaced database is kept as ${replaced}`);
  say(`
What this means:
- What happened after this backup was made is gone: orders, entries, requests. Telegram delivers again
  only updates that no bot has confirmed, and none older than 24 hours.
- What waited in the queue when it was made is worked on and sent again: people may get a reply twice.
- The bot needs the encryption key that was in use when the backup was made.
- Start the bot as always; it checks the file first.`);
});
