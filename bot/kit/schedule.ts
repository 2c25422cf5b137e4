/**
 * Schedule: code of a module that is due again and again.
 *
 * Each due instant is a message of the queue: the one for the next instant is queued in the commit that
 * ends the one before, so there is always exactly one of them, whatever happens in between.
 */
import type { Telegram } from "telegraf";
import { DataRefusedError } from "../core/errors.ts";
import type { BotContext } from "./bot-context.ts";
import { dueInstants, type Timetable } from "./due-instants.ts";
import { type DueInstants, type MissedPolicy, missedPolicies } from "./schedule-rules.ts";

export type ScheduleOptions = Timetable & {
  /**
   * What happens to instants that passed while the bot was down or the pool paused: `once` (one run for
   * the latest of them), `skip`, or `all` (a run for each). Default `once`.
   */
  readonly missed?: MissedPolicy;
};

/** The argument of `run`: a context without a chat. Calls are recorded, as in a handler of an update. */
export interface ScheduleContext
  extends Pick<BotContext, "call" | "now" | "onDone" | "transaction"> {
  readonly telegram: Telegram;
  /** The instant that is run, in milliseconds since the epoch: the same in every attempt. */
  readonly dueAtEpochMs: number;
  /** With `missed: "once"`, the first missed instant that this run stands for; `undefined`: none. */
  readonly missedFromEpochMs: number | undefined;
}

export type RunSchedule = (ctx: ScheduleContext) => unknown;

/**
 * Runs `run` once for each instant of a timetable, across restarts. It is tried again like a handler, and
 * given up like one; the next instant comes in any case.
 *
 * @param name 1 to 100 letters, digits or `_ - . :`; stable, because a new name is a new schedule.
 * @throws {DataRefusedError} for what is no timetable, and for a name that is taken.
 */
export type AddSchedule = (name: string, options: ScheduleOptions, run: RunSchedule) => void;

export interface Schedule {
  readonly name: string;
  readonly instants: DueInstants;
  readonly missed: MissedPolicy;
  /** Changes when the timetable does. */
  readonly spec: string;
  readonly run: RunSchedule;
}

const namePattern = /^[\w.:-]{1,100}$/;

/** The schedules of a module, by name. */
export function createSchedules(): {
  readonly add: AddSchedule;
  readonly schedules: ReadonlyMap<string, Schedule>;
} {
  const schedules = new Map<string, Schedule>();
  const add: AddSchedule = (name, options, run) => {
    if (typeof name !== "string" || !namePattern.test(name)) {
      const received = typeof name === "string" ? `${name.length} characters` : `a ${typeof name}`;
      const mend = 'Give it a name such as "daily-report".';
      const expected = "1 to 100 letters, digits, or any of _ - . :";
      throw new DataRefusedError("schedule: name", expected, received, mend);
    }
    const refuse = (field: string, expected: string, received: string, mend: string) =>
      new DataRefusedError(`schedule ${name}: ${field}`, expected, received, mend);
    if (schedules.has(name)) {
      throw refuse("name", "a name of its own", "one that is taken", "Choose another name.");
    }
    if (
      typeof options !== "object" ||
      options === null ||
      "cron" in options === "every" in options
    ) {
      const received = options && "cron" in options ? "both" : "neither";
      const mend = 'Write { cron: "0 9 * * *" } or { every: 3_600_000 }.';
      throw refuse("options", "either cron or every", received, mend);
    }
    const { missed = "once" } = options;
    if (!missedPolicies.includes(missed)) {
      const mend = "Leave it out for once.";
      throw refuse("missed", missedPolicies.join(", "), JSON.stringify(missed), mend);
    }
    if (typeof run !== "function") {
      throw refuse("run", "a function", `a ${typeof run}`, "Write async (ctx) => { … }.");
    }
    const instants = dueInstants(options, name);
    const spec = "every" in options ? `every ${options.every}` : specOf(options);
    schedules.set(name, { name, instants, missed, spec, run });
  };
  return { add, schedules };
}

function specOf({ cron, timeZone = "UTC" }: { cron: string; timeZone?: string }): string {
  return `cron ${cron} ${timeZone}`;
}
