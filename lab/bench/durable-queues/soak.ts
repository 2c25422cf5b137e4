/**
 * Soak: the bot's queue on PostgreSQL at one rate for a long time, to see whether memory or tables grow.
 *
 * Tables are counted with their indexes. A dead row is one that was changed or deleted and not cleaned up yet.
 */
import { residentMb } from "../process-usage.ts";
import { percentile } from "../statistics.ts";
import { figure } from "../text-table.ts";
import { type ContenderName, contenders } from "./contenders.ts";
import { type MeasureOptions, withQueue } from "./measure.ts";
import type { Database, Place } from "./place.ts";

export interface SoakOptions extends MeasureOptions {
  readonly minutes: number;
  readonly name: ContenderName;
}

export interface SoakSample {
  /** Minutes since the start. */
  readonly minute: number;
  readonly answered: number;
  readonly p99Ms: number;
  /** Resident memory of each process. */
  readonly residentMb: readonly number[];
  readonly liveRows: number;
  readonly deadRows: number;
  /** Tables that messages pass through: the queue's own. */
  readonly queueMb: number;
  /** Everything in the database. */
  readonly databaseMb: number;
}

/** Updates are forgotten after this, so that what is remembered of them does not grow for the whole hour. */
const dedupeKeepMs = 300_000;
const linesMax = 12;

const sizesSql = `
  SELECT coalesce(sum(n_live_tup), 0)::int AS live, coalesce(sum(n_dead_tup), 0)::int AS dead,
    coalesce(sum(pg_total_relation_size(relid)) FILTER (WHERE relname IN ('messages', 'lanes')), 0)::float8 AS queue,
    pg_database_size(current_database())::float8 AS all
  FROM pg_stat_user_tables`;

interface Sizes {
  readonly live: number;
  readonly dead: number;
  readonly queue: number;
  readonly all: number;
}

/** @param tell Is told the lines of the table, as they come. */
export async function soak(
  options: SoakOptions,
  place: Place,
  tell: (line: string) => void,
): Promise<readonly SoakSample[]> {
  const { minutes, name, rate } = options;
  return withQueue(contenders[name], place, { ...options, dedupeKeepMs }, async (running) => {
    const samples: SoakSample[] = [];
    let answered = 0;
    tell(`Soak: ${contenders[name].title}, ${rate}/s for ${minutes} min`);
    for (let minute = 1; minute <= minutes; minute++) {
      const latencies = await running.first.pace(rate, 60);
      answered += latencies.length;
      if (minute % Math.ceil(minutes / linesMax) > 0 && minute < minutes) continue;
      const { all, dead, live, queue } = await sizesOf(running.database);
      samples.push({
        ...{ minute, answered, liveRows: live, deadRows: dead },
        p99Ms: percentile(latencies, 0.99),
        residentMb: running.processes.map(({ pid }) => residentMb(pid)),
        queueMb: queue / 2 ** 20,
        databaseMb: all / 2 ** 20,
      });
      tell(lineOf(samples.at(-1) as SoakSample));
    }
    return samples;
  });
}

async function sizesOf(database: Database | undefined): Promise<Sizes> {
  const [sizes] = (await database?.query<Sizes>(sizesSql)) ?? [];
  return sizes ?? { live: Number.NaN, dead: Number.NaN, queue: Number.NaN, all: Number.NaN };
}

function lineOf(sample: SoakSample): string {
  const { answered, databaseMb, deadRows, liveRows, minute, p99Ms, queueMb } = sample;
  return [
    `${minute} min: ${answered} answered`,
    `p99 ${figure(p99Ms, 1)} ms`,
    `${sample.residentMb.map((mb) => figure(mb)).join(" + ")} MB resident`,
    `${liveRows} rows, ${deadRows} dead`,
    `messages and lanes ${figure(queueMb, 1)} MB, database ${figure(databaseMb, 1)} MB`,
  ].join(", ");
}
