/**
 * Stop-orphan program: stops a bot that holds this installation's data and is not run by PM2, because it
 * outlived its PM2 or was started by hand. The bot finishes its work first. Without such a bot it does
 * nothing.
 */
import { systemClock } from "../../core/clock.ts";
import { holderPid, isHeld } from "./checks/database.ts";
import { enterInstallation } from "./this-installation.ts";

const pauseMs = 250;
/** Longer than any DRAIN_DEADLINE_MS that the settings allow with PM2. */
const waitMsMax = 20_000;

const installation = await enterInstallation();
const { botDirectory } = installation;
const untilMs = systemClock.monotonicMs() + waitMsMax;
const never = new AbortController().signal;
let asked: number | undefined;

while (botDirectory !== undefined && isHeld(botDirectory)) {
  const pid = holderPid(installation);
  if (pid !== undefined && pid !== asked) {
    process.stdout.write(`process ${pid} holds the data without PM2; asking it to stop\n`);
    process.kill(pid, "SIGTERM");
    asked = pid;
  }
  if (systemClock.monotonicMs() > untilMs) {
    const who = asked === undefined ? "an unknown process" : `process ${asked}`;
    process.stderr.write(`${who} still holds ${botDirectory}; stop it by hand\n`);
    process.exitCode = 1;
    break;
  }
  await systemClock.sleep(pauseMs, never);
}
