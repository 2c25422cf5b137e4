/** Due instants: reads a cron text or an interval, and refuses what is none. */
import { Cron } from "croner";
import { dateAt } from "../core/clock.ts";
import { DataRefusedError } from "../core/errors.ts";
import type { DueInstants } from "./schedule-rules.ts";

export interface CronTimetable {
  /**
   * Minute, hour, day of month, month and day of week, with seconds before them if need be; or `@daily`
   * and the like. A local time that a clock change leaves out is due right after the change, and one that
   * comes twice is due at the first. Source: croner, https://croner.56k.guru.
   */
  readonly cron: string;
  /** IANA name, such as `Asia/Shanghai`. Default: `UTC`. */
  readonly timeZone?: string;
}

/** When something is due. */
export type Timetable =
  | CronTimetable
  | {
      /**
       * Milliseconds between two instants, 1 000 to 31 days. They are the multiples of it since the epoch (UTC), so
       * they are the same after every restart.
       */
      readonly every: number;
    };

const everyMsMin = 1_000;
const everyMsMax = 31 * 86_400_000;

/** @throws {DataRefusedError} @param name Of the schedule, for the error. */
export function dueInstants(timetable: Timetable, name: string): DueInstants {
  if ("every" in timetable) return multiples(timetable.every, name);
  return ofCron(timetable, name);
}

function multiples(every: unknown, name: string): DueInstants {
  if (!Number.isInteger(every) || Number(every) < everyMsMin || Number(every) > everyMsMax) {
    throw new DataRefusedError(
      `schedule ${name}: every`,
      `a whole number of milliseconds from ${everyMsMin} to ${everyMsMax}`,
      typeof every === "number" ? String(every) : `a ${typeof every}`,
      "An hour is 3_600_000; for what depends on the calendar, use cron.",
    );
  }
  const ms = Number(every);
  return {
    next: (afterEpochMs) => (Math.floor(afterEpochMs / ms) + 1) * ms,
    latest: (atEpochMs) => Math.floor(atEpochMs / ms) * ms,
  };
}

function ofCron({ cron, timeZone = "UTC" }: CronTimetable, name: string): DueInstants {
  const refuse = (field: string, expected: string, received: string, mend: string) =>
    new DataRefusedError(`schedule ${name}: ${field}`, expected, received, mend);
  const utc = timeZone === "UTC";
  if (!utc && (typeof timeZone !== "string" || !isTimeZone(timeZone))) {
    const mend = "Europe/Berlin is one; leave it out for UTC.";
    throw refuse("timeZone", "an IANA time zone", JSON.stringify(timeZone), mend);
  }
  const example = 'On workdays at nine: "0 9 * * 1-5".';
  const expected = "a cron text: minute, hour, day of month, month, day of week";
  if (typeof cron !== "string" || cron.trim() === "" || /^\d{4}-/.test(cron)) {
    throw refuse("cron", expected, JSON.stringify(cron) ?? "undefined", example);
  }
  let job: Cron;
  try {
    // Without a zone, because the first question about one takes 25 ms of a start: ICU loads its calendars.
    job = new Cron(cron, { paused: true, ...(utc ? { utcOffset: 0 } : { timezone: timeZone }) });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.replace(/^CronPattern: /, "") : "";
    throw refuse("cron", expected, `${JSON.stringify(cron)} (${reason})`, example);
  }
  const instants: DueInstants = {
    next: (afterEpochMs) => job.nextRun(dateAt(afterEpochMs))?.getTime(),
    latest: (atEpochMs) =>
      // croner counts in whole seconds, so the second that has begun is looked at as well.
      job
        .previousRuns(2, dateAt(atEpochMs + 1_000))
        .map((date) => date.getTime())
        .find((instant) => instant <= atEpochMs),
  };
  if (instants.next(0) === undefined) {
    const mend = "Correct the day or the month.";
    throw refuse("cron", "a text with at least one instant", `${JSON.stringify(cron)}`, mend);
  }
  return instants;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
