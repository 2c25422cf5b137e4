/**
 * Doctor: `npm run doctor [-- --json] [-- --before-start]`. Examines this installation, changes nothing,
 * and says for everything that is wrong what mends it. Exit code 1 when something is.
 */
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readEnvFile, rootDirectory } from "../config/env-file.ts";
import { systemClock } from "../contracts/clock.ts";
import { examine, toText } from "./doctor.ts";
import { findPlace } from "./place.ts";

const { values } = parseArgs({
  options: {
    "before-start": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

process.chdir(rootDirectory);
const place = findPlace({
  home: rootDirectory,
  packageDirectory: fileURLToPath(new URL("../..", import.meta.url)),
  env: process.env,
  envFile: readEnvFile(),
  userDirectory: homedir(),
  clock: systemClock,
});
const findings = await examine(place, values["before-start"] ? "before-start" : "running");
const healthy = findings.every(({ level }) => level !== "wrong");
process.stdout.write(
  values.json ? `${JSON.stringify({ healthy, findings }, undefined, 2)}\n` : toText(findings),
);
process.exitCode = healthy ? 0 : 1;
