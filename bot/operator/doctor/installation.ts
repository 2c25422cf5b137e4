/** Installation: what the doctor examines, as far as its settings can be read. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type FaultToleranceConfig, parseConfig } from "../../config/fault-tolerance-config.ts";
import type { SecretsFile } from "../../config/secrets-file.ts";
import type { Clock } from "../../core/clock.ts";
import { ConfigurationError, type ConfigurationProblem } from "../../core/errors.ts";
import type { BotModule } from "../../kit/module.ts";

export interface Installation {
  /** Where `.env`, data and logs are. */
  readonly home: string;
  /** The program that is examined is here: `home`, or a version below it. */
  readonly packageDirectory: string;
  readonly envFile: SecretsFile | undefined;
  /** The defaults when the settings are wrong. */
  readonly config: FaultToleranceConfig;
  readonly problems: readonly ConfigurationProblem[];
  readonly dataDirectory: string;
  readonly logDirectory: string;
  /** The data of one bot; `undefined` before its first start, or when several bots share the directory. */
  readonly botDirectory: string | undefined;
  /** The bot's id, as far as the token or its data tell. */
  readonly botId: string | undefined;
  readonly pm2Home: string;
  readonly clock: Clock;
}

export interface InstallationSources {
  readonly home: string;
  readonly packageDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envFile: SecretsFile | undefined;
  /** The bot that is run, or what is wrong with its file. */
  readonly module: Pick<BotModule, "settings"> | ConfigurationError;
  readonly userDirectory: string;
  readonly clock: Clock;
}

export function findInstallation(sources: InstallationSources): Installation {
  const { clock, env, envFile, home, module, packageDirectory, userDirectory } = sources;
  const { config, problems } = readSettings(env, envFile, module);
  const dataDirectory = resolve(home, config.storage.directory);
  const tokenId = config.telegram.token?.reveal().split(":")[0];
  const botDirectory = findBotDirectory(dataDirectory, tokenId);
  return {
    home,
    packageDirectory,
    envFile,
    config,
    problems,
    dataDirectory,
    logDirectory: resolve(home, config.log.directory),
    botDirectory,
    botId: tokenId ?? (botDirectory && basename(botDirectory)),
    pm2Home: env["PM2_HOME"] ?? rememberedPm2Home(home) ?? join(userDirectory, ".pm2"),
    clock,
  };
}

function readSettings(
  env: InstallationSources["env"],
  envFile: SecretsFile | undefined,
  module: InstallationSources["module"],
) {
  const broken = module instanceof ConfigurationError ? module.problems : [];
  const settings = module instanceof ConfigurationError ? undefined : module.settings;
  try {
    return { config: parseConfig(env, envFile, settings), problems: broken };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = [...broken, ...error.problems];
    return { config: parseConfig({}, undefined, settings), problems };
  }
}

/** The PM2 to which deploy-fault-tolerance.sh has given the bot. */
function rememberedPm2Home(home: string): string | undefined {
  const path = join(home, "releases", "pm2-home");
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}

function findBotDirectory(dataDirectory: string, botId: string | undefined): string | undefined {
  if (!existsSync(dataDirectory)) return undefined;
  // On PostgreSQL there is no database here, only what belongs to this machine.
  const withData = readdirSync(dataDirectory).filter((name) =>
    ["bot.db", "restarts.jsonl"].some((file) => existsSync(join(dataDirectory, name, file))),
  );
  const name = botId ?? (withData.length === 1 ? withData[0] : undefined);
  return name !== undefined && withData.includes(name) ? join(dataDirectory, name) : undefined;
}
