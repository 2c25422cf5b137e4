/**
 * Backup: writes copies of the database to `backups/` beside it and keeps the newest few.
 *
 * `writeBackup` is synchronous; `backUpInWorker` runs it in its own thread, so the event loop goes
 * on.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { formatInstant } from "../../core/clock.ts";
import { BackupFailedError, StorageUnavailableError } from "../../core/errors.ts";
import { copyDatabase, unfinishedSuffix } from "./database-copy.ts";
import { type OpenDatabase, openNodeSqlite } from "./sqlite-driver.ts";

export interface BackupRequest {
  /** The directory that holds `bot.db`. */
  readonly directory: string;
  /** The instant that names the file. */
  readonly nowEpochMs: number;
  /** How many backups are kept, including this one; 1 or more. */
  readonly kept: number;
}

export interface BackupFile {
  readonly file: string;
  readonly bytes: number;
}

const backupName = /^bot-[\dTZ-]+\.db$/;
/** An unfinished copy older than this was left by a process that died. */
const abandonedAfterMs = 3_600_000;

/**
 * Writes one backup and removes the oldest beyond `kept`. Any process may call it while a bot runs.
 *
 * @throws {BotError} a `Storage…Error`; then no backup was removed or added.
 */
export function writeBackup(
  { directory, kept, nowEpochMs }: BackupRequest,
  open: OpenDatabase = openNodeSqlite,
): BackupFile {
  const source = join(directory, "bot.db");
  if (!existsSync(source)) {
    throw new StorageUnavailableError(`there is no database in ${directory}`, {
      hint: "Set DATA_DIR to the bot's directory; nothing was written.",
    });
  }
  const backups = join(directory, "backups");
  mkdirSync(backups, { recursive: true, mode: 0o700 });
  const file = join(backups, `bot-${instantForName(nowEpochMs)}.db`);
  copyDatabase(source, file, open);
  prune(backups, kept, nowEpochMs);
  return { file, bytes: statSync(file).size };
}

/** Formats an instant so that it sorts as text and is safe in a file name. */
export function instantForName(epochMs: number): string {
  return formatInstant(epochMs).replace(/[:.]/g, "-");
}

function prune(backups: string, kept: number, nowEpochMs: number): void {
  const names = readdirSync(backups);
  const old = names
    .filter((name) => backupName.test(name))
    .sort()
    .slice(0, -kept);
  const abandoned = names
    .filter((name) => name.endsWith(unfinishedSuffix))
    .filter((name) => {
      const { mtimeMs } = statSync(join(backups, name), { throwIfNoEntry: false }) ?? {};
      return mtimeMs !== undefined && mtimeMs < nowEpochMs - abandonedAfterMs;
    });
  for (const name of [...old, ...abandoned]) rmSync(join(backups, name), { force: true });
}

/** What the worker reports: the backup, or the problem that prevented it. */
export type BackupAnswer =
  | BackupFile
  | { readonly problem: string; readonly hint: string | undefined };

/** Runs `writeBackup` in its own thread. @throws {BackupFailedError} when no backup was made. */
export async function backUpInWorker(request: BackupRequest): Promise<BackupFile> {
  const worker = new Worker(new URL("./backup-worker.ts", import.meta.url), {
    name: "backup",
    workerData: request,
    // The worker does not need the environment, which may hold secrets.
    env: {},
  });
  const answer = await new Promise<BackupAnswer>((resolve) => {
    worker.on("message", resolve);
    worker.on("error", (error) => resolve({ problem: error.message, hint: undefined }));
    worker.on("exit", () => resolve({ problem: "the thread has ended", hint: undefined }));
  });
  if ("file" in answer) return answer;
  const { hint = "The bot goes on; try again when the cause is gone.", problem } = answer;
  throw new BackupFailedError(`no backup was made: ${problem}`, { hint });
}
