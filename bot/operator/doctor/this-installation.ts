/** Here: the installation that this program belongs to; the working directory becomes its home. */
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { readEnvFile, rootDirectory } from "../../config/env-file.ts";
import { systemClock } from "../../core/clock.ts";
import { findPlace, type Place } from "./place.ts";

export function enterPlace(): Place {
  process.chdir(rootDirectory);
  return findPlace({
    home: rootDirectory,
    packageDirectory: fileURLToPath(new URL("../../..", import.meta.url)),
    env: process.env,
    envFile: readEnvFile(),
    userDirectory: homedir(),
    clock: systemClock,
  });
}
