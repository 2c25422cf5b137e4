/** Backup worker: writes one backup in its own thread and reports the outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { BotError } from "../../core/errors.ts";
import { type BackupAnswer, type BackupRequest, writeBackup } from "./backup.ts";

parentPort?.postMessage(answer(workerData as BackupRequest));

function answer(request: BackupRequest): BackupAnswer {
  try {
    return writeBackup(request);
  } catch (error) {
    const problem = error instanceof Error ? error.message : typeof error;
    return { problem, hint: error instanceof BotError ? error.hint : undefined };
  }
}
