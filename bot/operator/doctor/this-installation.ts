/** This installation: the one the program belongs to; its home becomes the working directory. */
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { readEnvFile, rootDirectory } from "../../config/env-file.ts";
import { moduleFromSettings } from "../../config/module-choice.ts";
import { systemClock } from "../../core/clock.ts";
import { ConfigurationError } from "../../core/errors.ts";
import { chooseModule } from "../../index.ts";
import { findInstallation, type Installation } from "./installation.ts";

export async function enterInstallation(): Promise<Installation> {
  process.chdir(rootDirectory);
  const envFile = readEnvFile();
  const choice = moduleFromSettings(process.env, envFile, rootDirectory);
  const module = await chooseModule(choice).catch((error: unknown) => {
    if (error instanceof ConfigurationError) return error;
    throw error;
  });
  return findInstallation({
    home: rootDirectory,
    packageDirectory: fileURLToPath(new URL("../../..", import.meta.url)),
    env: process.env,
    envFile,
    module,
    userDirectory: homedir(),
    clock: systemClock,
  });
}
