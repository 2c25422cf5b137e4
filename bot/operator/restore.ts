/** Restore program: `npm run restore -- FILE`. Refuses while the bot runs. */
import { systemClock } from "../core/clock.ts";
import { restoreBackup } from "../storage/sqlite/restore.ts";
import { runProgram } from "./program.ts";

const usage = "Usage: npm run restore -- FILE [--bot ID]";

await runProgram(usage, 1, ({ directory, operands: [named = ""], pathOf, say }) => {
  const file = pathOf(named);
  const replaced = restoreBackup({ directory, file, nowEpochMs: systemClock.epochMs() });
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
