/** Backup program: `npm run backup`. Works while the bot runs, and when it does not. */
import { systemClock } from "../core/clock.ts";
import { writeBackup } from "../storage/sqlite/backup.ts";
import { runProgram } from "./program.ts";

const usage = "Usage: npm run backup [-- --bot ID]";

await runProgram(usage, 0, async ({ config, directory, say }) => {
  const kept = config.storage.backupsKept;
  const request = { directory, kept, nowEpochMs: systemClock.epochMs() };
  const { bytes, file } = await writeBackup(request);
  say(`Backup written and checked: ${file} (${bytes} bytes)`);
});
