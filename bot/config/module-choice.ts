/**
 * Module choice: which file holds the bot that is to run. It has to be known before the settings are
 * read, because a module brings settings of its own.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Environment } from "./fault-tolerance-config.ts";
import { readSecretsFile, type SecretsFile } from "./secrets-file.ts";
import { settings } from "./settings-table.ts";

/** A file that was named. */
export interface ModuleChoice {
  readonly file: string;
  /** Where it was named: `BOT_MODULE` or `--bot`. */
  readonly source: string;
}

const { variable } = settings.lifecycle.module;

/**
 * The file in `BOT_MODULE`: relative to the directory of `.env`, as every path in a setting.
 *
 * @param home The directory of `.env`.
 * @returns `undefined` when none is named, and the shop runs.
 */
export function moduleFromSettings(
  env: Environment,
  secretsFile: SecretsFile | undefined,
  home: string,
): ModuleChoice | undefined {
  const values: Environment = secretsFile ? readSecretsFile(secretsFile).values : {};
  const written = env[variable]?.trim() || values[variable]?.trim();
  return written ? { file: resolve(home, written), source: variable } : undefined;
}

/** The file after `--bot`: relative to where the program was called, as every operand. */
export function moduleFromArguments(
  args: readonly string[],
  calledFrom: string,
): ModuleChoice | undefined {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: { bot: { type: "string" } },
  });
  const { bot } = values;
  if (bot === undefined) return undefined;
  // Without a path the directory itself is meant, and refused as no file.
  return { file: resolve(calledFrom, typeof bot === "string" ? bot : ""), source: "--bot" };
}
