/** Env file: `.env` beside package.json, which every program of ours reads first. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SecretsFile } from "./secrets-file.ts";

/** The directory of `.env`; paths in settings are relative to it. */
export const rootDirectory = homeOf(fileURLToPath(new URL("../..", import.meta.url)));

/** The package's own directory; versions installed side by side in `releases/` share the one above. */
export function homeOf(packageDirectory: string): string {
  const above = dirname(resolve(packageDirectory));
  return basename(above) === "releases" ? dirname(above) : resolve(packageDirectory);
}

/** `.env` in the working directory, if there is one. */
export function readEnvFile(): SecretsFile | undefined {
  const name = ".env";
  if (!existsSync(name)) return undefined;
  const mode = process.platform === "win32" ? undefined : statSync(name).mode;
  return { name, contents: readFileSync(name, "utf8"), mode };
}
