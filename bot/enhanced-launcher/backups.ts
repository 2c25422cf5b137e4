/** Backups: made by themselves, and carried away by the operator's command. */
import { resolve } from "node:path";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { Store } from "../core/store.ts";
import { runBackupCommand } from "../storage/backups/backup-command.ts";
import { BackupSchedule } from "../storage/backups/backup-schedule.ts";
import { findBackups } from "../storage/sqlite/backup.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { Runtime } from "./runtime.ts";

/** @param deps `environment`: the variables that the command inherits; without secrets. */
export function createBackups(
  { storage: { backupCommand, backupEveryMs, databaseUrl } }: FaultToleranceConfig,
  deps: Runtime & {
    store: Store;
    directory: string;
    environment: Readonly<Record<string, string | undefined>>;
  },
): Replaceable<BackupSchedule> {
  const { clock, directory, environment, publish, store } = deps;
  return new Replaceable(
    () =>
      new BackupSchedule({
        clock,
        publish,
        // PostgreSQL has backups of its own.
        everyMs: databaseUrl ? 0 : backupEveryMs,
        backUp: () => store.backup(),
        find: () => findBackups(resolve(directory)),
        facts: store,
        ...(backupCommand && {
          runCommand: (file, hear, signal) =>
            runBackupCommand({ command: backupCommand.reveal(), environment }, file, hear, signal),
        }),
      }),
  );
}
