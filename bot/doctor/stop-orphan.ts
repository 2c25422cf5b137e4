/**
 * Stops a bot that holds this installation's data although PM2 does not keep it: one that has outlived
 * its PM2, or was started by hand. It finishes what it has in hand. Nothing happens where there is none.
 */
import { systemClock } from "../contracts/clock.ts";
import { holderPid, isHeld } from "./checks/database.ts";
import { enterPlace } from "./here.ts";

const pauseMs = 250;
/** Longer than any DRAIN_DEADLINE_MS that the settings allow with PM2. */
const waitMsMax = 20_000;

const { botDirectory, ...rest } = enterPlace();
const pid = holderPid({ botDirectory, ...rest });
if (botDirectory !== undefined && pid !== undefined) {
  process.stdout.write(`process ${pid} holds the data without PM2: it is asked to stop\n`);
  process.kill(pid, "SIGTERM");
  const untilMs = systemClock.monotonicMs() + waitMsMax;
  const never = new AbortController().signal;
  while (isHeld(botDirectory)) {
    if (systemClock.monotonicMs() > untilMs) {
      process.stderr.write(`process ${pid} does not stop; kill -9 ${pid}\n`);
      process.exit(1);
    }
    await systemClock.sleep(pauseMs, never);
  }
}
