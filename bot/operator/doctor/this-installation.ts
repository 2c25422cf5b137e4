/** This installation: the one the program belongs to; its home becomes the working directory. */
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { readEnvFile, rootDirectory } from "../../config/env-file.ts";
import { systemClock } from "../../core/clock.ts";
import { findInstallation, type Installation } from "./installation.ts";

export function enterInstallation(): Installation {
  process.chdir(rootDirectory);
  return findInstallation({
    home: rootDirectory,
    packageDirectory: fileURLToPath(new URL("../../..", import.meta.url)),
    env: process.env,
    envFile: readEnvFile(),
    userDirectory: homedir(),
    clock: systemClock,
  });
}
