/**
 * Stops a bot that holds this installation's data although PM2 does not keep it: one that has outlived
 * its PM2, or was started by hand. It finishes what it has in hand. Nothing happens where there is none.
 */
import { systemClock } from "../../core/clock.ts";
import { holderPid, isHeld } from "./checks/database.ts";
import { enterInstallation } from "./this-installation.ts";

const pauseMs = 250;
/** Longer than any DRAIN_DEADLINE_MS that the settings allow with PM2. */
const waitMsMax = 20_000;

const installation = enterInstallation();
const { botDirectory } = installation;
const untilMs = systemClock.monotonicMs() + waitMsMax;
const never = new AbortController().signal;
let asked: number | undefined;

while (botDirectory !== undefined && isHeld(botDirectory)) {
  const pid = holderPid(installation);
  if (pid !== undefined && pid !== asked) {
    process.stdout.write(`process ${pid} holds the data without PM2: it is asked to stop\n`);
    process.kill(pid, "SIGTERM");
    asked = pid;
  }
  if (systemClock.monotonicMs() > untilMs) {
    const who = asked === undefined ? "a process that is not known" : `process ${asked}`;
    process.stderr.write(`${who} goes on holding ${botDirectory}; stop it by hand\n`);
    process.exitCode = 1;
    break;
  }
  await systemClock.sleep(pauseMs, never);
}
