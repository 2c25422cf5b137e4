/** Arguments: the options of a drill. */
import { parseArgs } from "node:util";

export interface DrillArguments {
  readonly help: boolean;
  readonly list: boolean;
  /** Names of faults; empty: all. */
  readonly only: readonly string[];
  /** Plays only the faults that show most in little time. */
  readonly quick: boolean;
  readonly seed: number;
  /** Length of a random schedule of overlapping faults. Default: there is none. */
  readonly minutes?: number;
  /** Random faults of several processes on one PostgreSQL; 0: each kind once. Default: none of them. */
  readonly machines?: number;
  /** SIGKILLs in one run under load. Default: there is no such run. */
  readonly kills?: number;
  readonly peers: boolean;
  /** File for the report as JSON. Default: none. */
  readonly json?: string;
  /** File for the report as an HTML page. Default: none. */
  readonly html?: string;
}

/** The arguments after the command are invalid. */
export class DrillArgumentError extends Error {
  override readonly name = "DrillArgumentError";
}

export const usage = `Breaks a real running bot on purpose, and reports what happened.

  cd bot && node test-fault-tolerance.ts [options]        or: npm run drill -- [options]

  --only NAME[,NAME]  only these faults
  --quick             the faults that show most, in about a minute
  --kills N           N SIGKILLs under load, in one run, and nothing else
  --minutes M         M minutes of random overlapping faults, and nothing else
  --machines          several processes on one PostgreSQL, with a standby: each kind of fault once
  --machines N        N random faults of all these kinds, in scenes of two and three processes
  --peers             bare Telegraf, grammY and grammY runner under the same faults, beside this bot
  --seed N            repeats a drill's random choices; default: a new seed each time
  --json FILE         writes the report as JSON
  --html FILE         writes the report as a page with a timeline of every fault
  --list              names all faults
  --help              shows this text

Exit code 0: every promise held. 1: one was broken. 64: the arguments are invalid.
It needs no token: Telegram is the built-in sandbox. A fault whose tools are missing is skipped, with a note.
`;

/**
 * @param words The arguments after the program's name.
 * @param names The names of all faults.
 * Throws `DrillArgumentError` with one sentence that names the option.
 */
export function parseDrillArguments(
  words: readonly string[],
  names: readonly string[],
  randomSeed: () => number,
): DrillArguments {
  const { values } = parse(words.map(spellOut));
  const only = values.only === undefined ? [] : values.only.split(",").filter(Boolean);
  for (const name of only) {
    if (!names.includes(name)) {
      throw new DrillArgumentError(`--only: there is no fault "${name}"; --list names them all`);
    }
  }
  const { html, json } = values;
  return {
    help: values.help,
    list: values.list,
    quick: values.quick,
    peers: values.peers,
    only,
    seed: number("seed", values.seed, 0, 2 ** 32 - 1) ?? randomSeed(),
    ...optional("minutes", number("minutes", values.minutes, 1, 1_440)),
    ...optional("kills", number("kills", values.kills, 1, 100_000)),
    ...optional("machines", number("machines", values.machines, 0, 10_000)),
    ...optional("json", json),
    ...optional("html", html),
  };
}

/** Gives `--machines` its number where there is none. */
function spellOut(word: string, index: number, words: readonly string[]): string {
  const bare = word === "--machines" && !/^[^-]/.test(words[index + 1] ?? "");
  return bare ? "--machines=0" : word;
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        help: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        peers: { type: "boolean", default: false },
        only: { type: "string" },
        seed: { type: "string" },
        minutes: { type: "string" },
        kills: { type: "string" },
        machines: { type: "string" },
        json: { type: "string" },
        html: { type: "string" },
      },
    });
  } catch (cause) {
    throw new DrillArgumentError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function number(
  name: string,
  text: string | undefined,
  from: number,
  to: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  throw new DrillArgumentError(
    `--${name} must be a whole number from ${from} to ${to}, not "${text}"`,
  );
}

function optional<Name extends string, T>(name: Name, value: T | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: T };
}
