/** Wait-ready program: waits until this installation's bot is ready: `node bot/operator/doctor/wait-ready.ts SECONDS`. */
import { systemClock } from "../../core/clock.ts";
import { askReady } from "./checks/monitoring.ts";
import { enterInstallation } from "./this-installation.ts";

const pauseMs = 500;

const installation = await enterInstallation();
const seconds = Number(process.argv[2] ?? 60);
const untilMs = systemClock.monotonicMs() + seconds * 1000;
const never = new AbortController().signal;

for (;;) {
  const { address, reasons, status } = await askReady(installation);
  if (status === 200) {
    process.stdout.write(`${address}\n`);
    break;
  }
  if (systemClock.monotonicMs() > untilMs) {
    const answer = status === undefined ? "no answer" : `HTTP ${status} ${reasons.join("; ")}`;
    process.stderr.write(`not ready within ${seconds} s at ${address}: ${answer}\n`);
    process.exitCode = 1;
    break;
  }
  await systemClock.sleep(pauseMs, never);
}
