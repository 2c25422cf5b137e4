/** Env file: `.env` beside package.json, where every program of ours begins. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SecretsFile } from "./secrets-file.ts";

/** The directory from which paths in settings count. */
export const rootDirectory = fileURLToPath(new URL("../..", import.meta.url));

/** `.env` in the working directory, if there is one. */
export function readEnvFile(): SecretsFile | undefined {
  const name = ".env";
  if (!existsSync(name)) return undefined;
  const mode = process.platform === "win32" ? undefined : statSync(name).mode;
  return { name, contents: readFileSync(name, "utf8"), mode };
}
