/**
 * Backup: writes copies of the database to `backups/` beside it and keeps the newest few.
 *
 * Most of `writeBackup` is synchronous; `backUpInWorker` runs it in its own thread, so the event loop
 * goes on.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { formatInstant, parseInstant } from "../../core/clock.ts";
import { BackupFailedError, StorageUnavailableError } from "../../core/errors.ts";
import { startThread } from "../../core/thread.ts";
import { copyLiveDatabase, unfinishedSuffix } from "./database-copy.ts";
import { type CopiedDatabase, type OpenDatabase, openNodeSqlite } from "./sqlite-driver.ts";

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

const backupName = /^bot-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z\.db$/;
/** An unfinished copy older than this was left by a process that died. */
const abandonedAfterMs = 3_600_000;

/**
 * Writes one backup and removes the oldest beyond `kept`. Any process may call it while a bot runs.
 *
 * @throws {BotError} a `Storage…Error` or `BackupFailedError`; then no backup was removed or added.
 */
export async function writeBackup(
  { directory, kept, nowEpochMs }: BackupRequest,
  open: OpenDatabase<CopiedDatabase> = openNodeSqlite,
): Promise<BackupFile> {
  const source = join(directory, "bot.db");
  if (!existsSync(source)) {
    throw new StorageUnavailableError(`there is no database in ${directory}`, {
      hint: "Set DATA_DIR to the bot's directory; nothing was written.",
    });
  }
  const backups = join(directory, "backups");
  mkdirSync(backups, { recursive: true, mode: 0o700 });
  const name = `bot-${instantForName(nowEpochMs)}.db`;
  const file = join(backups, name);
  await copyLiveDatabase(source, file, open);
  prune(backups, name, kept, nowEpochMs);
  return { file, bytes: statSync(file).size };
}

/** A backup that is there: only a proved copy gets its name. */
export interface FoundBackup {
  readonly file: string;
  readonly atEpochMs: number;
}

/** Every backup of the bot in `directory`, by whichever process, oldest first. */
export async function findBackups(directory: string): Promise<readonly FoundBackup[]> {
  const backups = join(directory, "backups");
  const names = await readdir(backups).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.sort().flatMap((name) => {
    const [, day, hour, minute, second, ms] = backupName.exec(name) ?? [];
    const atEpochMs = parseInstant(`${day}T${hour}:${minute}:${second}.${ms}Z`);
    return atEpochMs === undefined ? [] : [{ file: join(backups, name), atEpochMs }];
  });
}

/** Formats an instant so that it sorts as text and is safe in a file name. */
export function instantForName(epochMs: number): string {
  return formatInstant(epochMs).replace(/[:.]/g, "-");
}

/** The one just written stays, even where a clock that was wrong has left names of the future. */
function prune(backups: string, written: string, kept: number, nowEpochMs: number): void {
  const names = readdirSync(backups);
  const others = names.filter((name) => backupName.test(name) && name !== written).sort();
  const old = others.slice(0, Math.max(0, others.length - (kept - 1)));
  const abandoned = names
    .filter((name) => name.endsWith(unfinishedSuffix))
    .filter((name) => {
      const { mtimeMs } = statSync(join(backups, name), { throwIfNoEntry: false }) ?? {};
      return mtimeMs !== undefined && mtimeMs < nowEpochMs - abandonedAfterMs;
    });
  for (const name of [...old, ...abandoned]) rmSync(join(backups, name), { force: true });
}

/** The worker's report: the backup, or the problem that prevented it. */
export type BackupAnswer =
  | BackupFile
  | { readonly problem: string; readonly hint: string | undefined };

/** Runs `writeBackup` in its own thread. @throws {BackupFailedError} when no backup was made. */
export async function backUpInWorker(request: BackupRequest): Promise<BackupFile> {
  const worker = startThread(new URL("./backup-worker.ts", import.meta.url), {
    name: "backup",
    workerData: request,
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
