/** Backup worker: writes one backup in its own thread and reports the outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { BotError } from "../../core/errors.ts";
import { type BackupAnswer, type BackupRequest, writeBackup } from "./backup.ts";

parentPort?.postMessage(await answer(workerData as BackupRequest));

async function answer(request: BackupRequest): Promise<BackupAnswer> {
  try {
    return await writeBackup(request);
  } catch (error) {
    const problem = error instanceof Error ? error.message : typeof error;
    return { problem, hint: error instanceof BotError ? error.hint : undefined };
  }
}
