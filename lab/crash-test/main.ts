/**
 * Main: `npm run crash-test -- ./my-bot.ts script.json` plays a conversation with a death everywhere.
 * Exit codes: 0 survived, 1 not survived, 78 the bot or the script is wrong.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../../bot/core/errors.ts";
import { describeError, exitCodeOf } from "../../bot/core/exit-code.ts";
import { understood } from "../../bot/core/program-arguments.ts";
import { deathFromText, NotSurvivedError, parseScript, type Script, survives } from "./survives.ts";

const usage = `Usage: npm run crash-test -- BOT SCRIPT [--death call:N | commit:N:kept | commit:N:lost]

  BOT      File of a bot, such as ./my-bot.ts.
  SCRIPT   JSON: a list of steps such as { "say": "/start" } and { "press": "Buy" }; each may have
           "from" (a user's id) and "in" (a group's title).
  --death  Plays only the death that a failure has named.`;

async function run(): Promise<void> {
  const { positionals, values } = readArguments();
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const [bot, script] = positionals;
  if (bot === undefined || script === undefined || positionals.length > 2) {
    throw new UsageError("a bot and a script are expected", { hint: usage });
  }
  const only = values.death === undefined ? undefined : deathFromText(values.death);
  if (values.death !== undefined && !only) {
    throw new UsageError(`--death ${values.death}: not understood`, { hint: usage });
  }
  // npm runs a program in the package's directory; INIT_CWD says where it was called.
  const calledFrom = process.env["INIT_CWD"] ?? process.cwd();
  const { calls, commits, deaths } = await survives(
    resolve(calledFrom, bot),
    readScript(resolve(calledFrom, script)),
    { ...(only && { only }), onPlayed: showProgress },
  );
  process.stdout.write(`survived ${deaths} deaths: ${commits} commits, ${calls} calls\n`);
}

function readArguments() {
  return understood(usage, () =>
    parseArgs({
      allowPositionals: true,
      options: { death: { type: "string" }, help: { type: "boolean", default: false } },
    }),
  );
}

function readScript(file: string): Script {
  try {
    return parseScript(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    const problem = cause instanceof Error ? cause.message : "unreadable";
    throw new UsageError(`the script ${file}: ${problem}`, { cause, hint: usage });
  }
}

function showProgress(done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${all} ${done === all ? "\n" : ""}`);
}

try {
  await run();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = error instanceof NotSurvivedError ? 1 : exitCodeOf(error);
}
