/**
 * Survives: the crash test for anybody's bot.
 *
 * A conversation is played twice undisturbed, and then once for each commit (lost, and just on disk) and
 * once for each call to Telegram, with the process dying exactly there and starting again. All must end
 * alike: the same calls in the same order, the same rows, nothing given up.
 */
import { BotError } from "../../bot/core/errors.ts";
import type { BotModule } from "../../bot/kit/module.ts";
import { baselineOf, findDifference } from "./difference.ts";
import { prepareModule } from "./fresh-module.ts";
import { type Death, Play, type Played } from "./play.ts";
import { describeStep, parseScript, type Script } from "./script.ts";

export type { Death } from "./play.ts";
export { parseScript, type Script, type Step } from "./script.ts";

export interface CrashTestOptions {
  /** Values of the module's own settings, by variable. Default: none, so their defaults. */
  readonly env?: Readonly<Record<string, string>>;
  /** Only this death. Default: all. */
  readonly only?: Death;
  /** Called after every play. */
  readonly onPlayed?: (done: number, all: number) => void;
}

/** What was played. */
export interface Survival {
  readonly commits: number;
  readonly calls: number;
  /** Plays with a death. */
  readonly deaths: number;
}

/** The bot ends differently when its process dies. */
export class NotSurvivedError extends BotError {
  override readonly code = "CRASH_TEST_FAILED";
  override readonly transient = false;
  /** Where it died; `undefined` when already undisturbed plays fail. */
  readonly death: Death | undefined;

  constructor(message: string, options: ErrorOptions & { readonly death?: Death } = {}) {
    super(message, { ...options, hint });
    this.death = options.death;
  }
}

const hint = `What a bot keeps in variables or files is not part of its commits: a death loses it, or leaves it behind
while the handler runs again. Keep it in ctx.transaction. What ctx.now sends may be sent again.`;

/**
 * Plays the script, and rejects at the first death that the bot does not survive.
 *
 * @param bot Path of the bot's file, which every life loads anew, so that module variables are lost as they
 *   are in reality; or a module, of which only what `setup` makes is new.
 * @throws {NotSurvivedError} with step, death and difference. {ConfigurationError} when it is no bot.
 *   {UsageError} when the script is none. {PlayError} when the conversation cannot go on.
 */
export async function survives(
  bot: BotModule | string,
  script: Script,
  { env = {}, only, onPlayed = () => {} }: CrashTestOptions = {},
): Promise<Survival> {
  const steps = parseScript(script);
  const make = await prepareModule(bot);
  const play = (death?: Death) => new Play(make, steps, env, death).run();
  const calm = await play();
  const [letter] = calm.deadLetters;
  if (letter !== undefined) {
    throw new NotSurvivedError(
      `The bot fails without any death. A message was given up: ${letter}`,
    );
  }
  const baseline = baselineOf(calm, await play());
  if (typeof baseline === "string") {
    throw new NotSurvivedError(`The bot is different each time, without any death: ${baseline}`);
  }
  const deaths = only ? [only] : allDeaths(calm);
  for (const [index, death] of deaths.entries()) {
    const crashed = await playWith(death, play);
    const difference = findDifference(baseline, crashed);
    if (difference !== undefined) {
      throw new NotSurvivedError(describeFailure(death, calm, crashed, steps, difference), {
        death,
      });
    }
    onPlayed(index + 1, deaths.length);
  }
  return { commits: calm.commits, calls: calm.calls, deaths: deaths.length };
}

function allDeaths({ calls, commits }: Played): readonly Death[] {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  return [
    ...numbers(commits).flatMap((number) => [
      { at: "commit", number, reachedDisk: false } as const,
      { at: "commit", number, reachedDisk: true } as const,
    ]),
    ...numbers(calls).map((number) => ({ at: "call", number }) as const),
  ];
}

/** A conversation that gets stuck only after a death is a difference like any other. */
async function playWith(death: Death, play: (death: Death) => Promise<Played>): Promise<Played> {
  try {
    return await play(death);
  } catch (error) {
    if (!(error instanceof BotError)) throw error;
    const where = `The bot does not survive a death ${describeDeath(death)}`;
    throw new NotSurvivedError(`${where}: ${error.message}`, { death, cause: error });
  }
}

/** A death as it is written after `--death`. */
export function deathToText(death: Death): string {
  if (death.at === "call") return `call:${death.number}`;
  return `commit:${death.number}:${death.reachedDisk ? "kept" : "lost"}`;
}

/** @returns `undefined` for a text that is no death. */
export function deathFromText(text: string): Death | undefined {
  const [, at, digits, end] = /^(call|commit):(\d{1,9})(?::(kept|lost))?$/.exec(text) ?? [];
  const number = Number(digits);
  if (at === "call" && end === undefined) return { at, number };
  return at === "commit" && end ? { at, number, reachedDisk: end === "kept" } : undefined;
}

function describeDeath(death: Death): string {
  if (death.at === "call") return `at call ${death.number}, executed but not answered`;
  return `at commit ${death.number}, ${death.reachedDisk ? "which reached" : "which did not reach"} the disk`;
}

function describeFailure(
  death: Death,
  { calls, commits }: Played,
  { diedAtStep = 0 }: Played,
  script: Script,
  difference: string,
): string {
  const step = describeStep(diedAtStep, script[diedAtStep] ?? {});
  return `The bot does not survive a death ${describeDeath(death)} (${commits} commits, ${calls} calls), during ${step}.
${difference}
Again, only this: --death ${deathToText(death)}`;
}
