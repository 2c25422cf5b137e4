/** Bench arguments: which benches run, and how long. */
import { parseArgs } from "node:util";

export const benchNames = ["speed", "latency", "memory", "flood"] as const;
export type BenchName = (typeof benchNames)[number];

export const contenderNames = [
  "this-bot",
  "this-bot-shop",
  "telegraf",
  "grammy",
  "runner",
  "limit-line",
] as const;
export type ContenderName = (typeof contenderNames)[number];

/** What happens beside the traffic whose latency is measured. */
export const situationNames = [
  "alone",
  "stuck",
  "broadcast",
  "health",
  "crowd",
  "campaign",
  "checkouts",
] as const;
export type SituationName = (typeof situationNames)[number];

/** Those that are measured unless others are named. */
export const usualSituations: readonly SituationName[] = situationNames.slice(0, 4);

export interface BenchArguments {
  readonly help: boolean;
  readonly benches: readonly BenchName[];
  /** Default: 3, for latency 1. */
  readonly rounds?: number;
  /** Seconds of each measured phase. Default: each bench has its own. */
  readonly seconds?: number;
  readonly only: readonly ContenderName[];
  /** Updates of the speed bench, after a warm-up with a tenth as many. */
  readonly updates: number;
  /** Updates a second of the latency bench. */
  readonly rates: readonly number[];
  readonly situations: readonly SituationName[];
  /** Health requests a second in the situation `health`. */
  readonly requests: number;
  /** Messages a second that Telegram allows in the situations with a crowd. */
  readonly allowed: number;
  /** Updates of the memory bench's burst. */
  readonly burst: number;
  /** Messages that wait when the process is killed. At a million the bot takes nothing in any more. */
  readonly waiting: readonly number[];
  /** Seconds from a start or a burst until the memory bench calls it rest. */
  readonly settleSeconds: number;
  /** Path for all figures as JSON. Default: none. */
  readonly json?: string;
  /** Path for a plot of the speed. Default: none. */
  readonly svg?: string;
}

/** The arguments after the command are invalid. */
export class BenchArgumentError extends Error {
  override readonly name = "BenchArgumentError";
}

export const usage = `Measures this bot beside others, all against the built-in sandbox.

  npm run bench [-- options]             updates a second, processor time and memory at full speed
  npm run bench:latency [-- options]     how long people wait, at rates that a bot can keep up with
  npm run bench:memory [-- options]      memory and processor at rest and under load, starts and kills
  npm run bench:flood [-- options]       how much of Telegram's allowed rate is used
  npm run bench -- all [options]         these four, in one run

  --rounds N          rounds of speed, latency and kills; default 3, for latency 1
  --only NAME[,NAME]  ${contenderNames.join(", ")}
  --updates N         speed: updates in each round, default 10000
  --seconds N         latency, memory, flood: length of each phase, default 20, 15, 20
  --rates N[,N]       latency: updates a second, default 50,200,500
  --situations NAME[,NAME]
                      latency: ${situationNames.join(", ")};
                      default the first four, at the middle rate
  --requests N        latency: health requests a second, default 500
  --allowed N         latency: messages a second that Telegram allows in the last three, default 1000
  --burst N           memory: updates of the burst, default 30000
  --waiting N[,N]     memory: messages that wait at a kill, default 0,100000
  --settle N          memory: seconds from a start or a burst until rest begins, default 25: then it has collected its garbage
  --json FILE         writes every figure as JSON
  --svg FILE          speed: draws the updates a second
  --help              shows this text

Other benches: npm run bench:queue, npm run bench:sandbox. docs/performance.md says what the figures mean.
`;

const options = {
  help: { type: "boolean", default: false },
  rounds: { type: "string" },
  only: { type: "string" },
  updates: { type: "string" },
  seconds: { type: "string" },
  rates: { type: "string" },
  situations: { type: "string" },
  requests: { type: "string" },
  allowed: { type: "string" },
  burst: { type: "string" },
  waiting: { type: "string" },
  settle: { type: "string" },
  json: { type: "string" },
  svg: { type: "string" },
} as const;

/** The benches that an option is for; an option that is not named here is for all. */
const benchesOf: Readonly<Record<string, readonly BenchName[]>> = {
  rounds: ["speed", "latency", "memory"],
  only: ["speed", "latency", "memory"],
  updates: ["speed"],
  seconds: ["latency", "memory", "flood"],
  rates: ["latency"],
  situations: ["latency"],
  requests: ["latency"],
  allowed: ["latency"],
  burst: ["memory"],
  waiting: ["memory"],
  settle: ["memory"],
  svg: ["speed"],
};

const exitUsage = 64;

/** What `parse` returns; invalid arguments end the program with a sentence, the usage and exit code 64. */
export function parsedOrEnd<T>(parse: () => T, help: string): T {
  try {
    return parse();
  } catch (error) {
    // Node.js reports unknown options as TypeErrors.
    if (!(error instanceof BenchArgumentError) && !(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n\n${help}`);
    process.exit(exitUsage);
  }
}

/**
 * @param words The arguments after the program's name.
 * Throws `BenchArgumentError` with one sentence that names the argument.
 */
export function parseBenchArguments(words: readonly string[]): BenchArguments {
  const { positionals, values } = parse(words);
  const benches = benchesAmong(positionals);
  for (const option of Object.keys(values)) {
    const served = benchesOf[option];
    if (served && !served.some((bench) => benches.includes(bench))) {
      throw new BenchArgumentError(`--${option} is for ${served.join(", ")}, not for ${benches}`);
    }
  }
  const number = (name: string, text: string | undefined, max: number) =>
    text === undefined ? undefined : wholeNumber(name, text, 1, max);
  const rounds = number("rounds", values.rounds, 100);
  const seconds = number("seconds", values.seconds, 3_600);
  return {
    help: values.help,
    benches,
    ...(rounds !== undefined && { rounds }),
    ...(seconds !== undefined && { seconds }),
    only: namesAmong("only", values.only, contenderNames),
    updates: number("updates", values.updates, 90_000) ?? 10_000,
    rates: wholeNumbers("rates", values.rates ?? "50,200,500", 1, 5_000),
    situations:
      values.situations === undefined
        ? usualSituations
        : namesAmong("situations", values.situations, situationNames),
    requests: number("requests", values.requests, 5_000) ?? 500,
    allowed: number("allowed", values.allowed, 1_000) ?? 1_000,
    burst: number("burst", values.burst, 2_000_000) ?? 30_000,
    waiting: wholeNumbers("waiting", values.waiting ?? "0,100000", 0, 990_000),
    // By then the bot has given back what a start or a burst took.
    settleSeconds: number("settle", values.settle, 3_600) ?? 25,
    ...(values.json !== undefined && { json: values.json }),
    ...(values.svg !== undefined && { svg: values.svg }),
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], allowPositionals: true, options });
  } catch (cause) {
    throw new BenchArgumentError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function benchesAmong(words: readonly string[]): readonly BenchName[] {
  if (words.length === 0) return ["speed"];
  if (words.includes("all")) return benchNames;
  return words.map((word) => {
    const found = benchNames.find((name) => name === word);
    if (found) return found;
    throw new BenchArgumentError(
      `there is no bench "${word}"; there are ${benchNames.join(", ")} and all`,
    );
  });
}

/** Throws `BenchArgumentError` with one sentence that names the option. */
export function namesAmong<Name extends string>(
  option: string,
  text: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (text === undefined) return known;
  return text.split(",").map((word) => {
    const found = known.find((name) => name === word);
    if (found) return found;
    throw new BenchArgumentError(`--${option}: there is no "${word}", only ${known.join(", ")}`);
  });
}

/** Throws `BenchArgumentError` with one sentence that names the option. */
export function wholeNumbers(
  option: string,
  text: string,
  min: number,
  max: number,
): readonly number[] {
  return text.split(",").map((word) => wholeNumber(option, word, min, max));
}

/** Throws `BenchArgumentError` with one sentence that names the option. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new BenchArgumentError(
    `--${option} takes whole numbers from ${min} to ${max}, not "${text}"`,
  );
}
