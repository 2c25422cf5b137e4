/**
 * Program: what the operator's programs share: the configuration, the choice of the bot, the exit code.
 *
 * They read the same `.env` and environment as the bot, say what they did on standard output, and report
 * errors on standard error.
 */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readEnvFile, rootDirectory } from "../config/env-file.ts";
import { type FaultToleranceConfig, parseConfig } from "../config/fault-tolerance-config.ts";
import { moduleFromSettings } from "../config/module-choice.ts";
import { UsageError } from "../core/errors.ts";
import { describeError, exitCodeOf } from "../core/exit-code.ts";
import { understood } from "../core/program-arguments.ts";
import { chooseModule } from "../index.ts";
import type { BotModule } from "../kit/module.ts";

export interface Invocation {
  readonly config: FaultToleranceConfig;
  /** The bot that is run with these settings. */
  readonly module: BotModule;
  /** The directory of the chosen bot, where its `bot.db` is or will be. */
  readonly directory: string;
  /** The operands, as they were written. */
  readonly operands: readonly string[];
  /** The value of an option of this program; `undefined` when it was not given. */
  option(name: string): string | undefined;
  /** The whole path of a named file, relative to where the program was called. */
  pathOf(operand: string): string;
  say(line: string): void;
}

/**
 * Runs a program and ends the process with its exit code.
 *
 * @param usage One line, for `--help` and for arguments that are not understood.
 * @param operandsExpected How many operands the program needs.
 * @param options Names of its own options, each with a value. Default: it has none.
 */
export async function runProgram(
  usage: string,
  operandsExpected: number,
  run: (invocation: Invocation) => Promise<void> | void,
  options: readonly string[] = [],
): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  try {
    const { bot, help, operands, option } = readArguments(usage, options);
    if (help) return say(usage);
    if (operands.length !== operandsExpected) {
      throw new UsageError(`${operandsExpected} expected, ${operands.length} named`, {
        hint: usage,
      });
    }
    // npm runs a program in the package's directory; INIT_CWD says where it was called.
    const calledFrom = process.env["INIT_CWD"] ?? process.cwd();
    const pathOf = (operand: string) => resolve(calledFrom, operand);
    process.chdir(rootDirectory);
    const envFile = readEnvFile();
    const module = await chooseModule(moduleFromSettings(process.env, envFile, rootDirectory));
    const config = parseConfig(process.env, envFile, module.settings);
    const directory = findDirectory(config, bot);
    await run({ config, directory, module, operands, option, pathOf, say });
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

function readArguments(usage: string, more: readonly string[]) {
  const text = { type: "string" } as const;
  const { positionals, values } = understood(usage, () =>
    parseArgs({
      allowPositionals: true,
      options: {
        ...Object.fromEntries(more.map((name) => [name, text])),
        ...{ bot: text, help: { type: "boolean", default: false } as const },
      },
    }),
  );
  const { bot, help } = values;
  const given: Readonly<Record<string, unknown>> = values;
  const option = (name: string) => given[name] as string | undefined;
  return { operands: positionals, bot, help, option };
}

/** The named bot, else the token's, else the only one with data here. */
function findDirectory({ storage, telegram }: FaultToleranceConfig, bot: string | undefined) {
  if (bot !== undefined && !/^\d{1,20}$/.test(bot)) {
    throw new UsageError("--bot expects a bot's id, a number", {
      hint: "It is the part of the token before the colon.",
    });
  }
  const id = bot ?? telegram.token?.reveal().split(":")[0];
  if (id !== undefined) return resolve(storage.directory, id);
  const found = existsSync(storage.directory)
    ? readdirSync(storage.directory).filter((name) =>
        existsSync(join(storage.directory, name, "bot.db")),
      )
    : [];
  if (found.length === 1) return resolve(storage.directory, String(found[0]));
  throw new UsageError(
    found.length === 0
      ? `no bot has data in ${storage.directory}`
      : `several bots have data in ${storage.directory}: ${found.join(", ")}`,
    { hint: "Set DATA_DIR, or name the bot: --bot ID (the part of its token before the colon)." },
  );
}
