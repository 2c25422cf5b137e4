/** Waits until the bot of this installation is ready: `node bot/doctor/wait-ready.ts SECONDS`. */
import { homedir } from "node:os";
import { readEnvFile, rootDirectory } from "../config/env-file.ts";
import { systemClock } from "../contracts/clock.ts";
import { askReady } from "./checks/monitoring.ts";
import { findPlace } from "./place.ts";

const pauseMs = 500;

process.chdir(rootDirectory);
const place = findPlace({
  home: rootDirectory,
  packageDirectory: rootDirectory,
  env: process.env,
  envFile: readEnvFile(),
  userDirectory: homedir(),
  clock: systemClock,
});
const seconds = Number(process.argv[2] ?? 60);
const untilMs = systemClock.monotonicMs() + seconds * 1000;
const never = new AbortController().signal;

for (;;) {
  const { address, reasons, status } = await askReady(place);
  if (status === 200) {
    process.stdout.write(`${address}\n`);
    break;
  }
  if (systemClock.monotonicMs() > untilMs) {
    const answer = status === undefined ? "nobody answers" : `HTTP ${status} ${reasons.join("; ")}`;
    process.stderr.write(`not ready within ${seconds} s at ${address}: ${answer}\n`);
    process.exitCode = 1;
    break;
  }
  await systemClock.sleep(pauseMs, never);
}
