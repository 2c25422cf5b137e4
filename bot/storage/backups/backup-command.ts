/**
 * Backup command: runs the operator's command on a backup, through the shell.
 *
 * The file's path is in the environment, as `BACKUP_FILE`, so that no character of it can mean
 * anything to the shell. The command has a process group of its own and ends with all of it.
 */
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { BackupCommandFailedError } from "../../core/errors.ts";

export interface BackupCommand {
  /** As the shell reads it: `sh -c` here, `cmd.exe` on Windows. */
  readonly command: string;
  /** The command's variables, without `BACKUP_FILE`; `HOME` is added where it is missing. Must not contain our secrets. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Resolves when the command has ended with exit code 0.
 *
 * @param hear Called with all that the command writes.
 * @param signal Kills the command and its children.
 * @throws {BackupCommandFailedError} when it ends otherwise or could not be started.
 */
export function runBackupCommand(
  { command, environment }: BackupCommand,
  file: string,
  hear: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new BackupCommandFailedError(`the command ${why}`));
    if (signal.aborted) return fail("was not started");
    const child = spawn(command, {
      shell: true,
      // A process group of its own, by which its children can be reached.
      detached: process.platform !== "win32",
      // PM2 gives us no HOME, where the keys and settings of such commands are looked for.
      env: { HOME: homedir(), ...environment, BACKUP_FILE: file },
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", hear);
    const end = () => {
      killGroup(child.pid);
      // A child that left the group may hold these open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    signal.addEventListener("abort", end, { once: true });
    child.on("error", (error) => fail(`could not be started: ${error.message}`));
    child.on("close", (code, killedBy) => {
      signal.removeEventListener("abort", end);
      if (code === 0) resolve();
      else fail(code === null ? `was ended by ${killedBy}` : `ended with exit code ${code}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
