/** Measure: runs one contender once, on data of its own, and judges what it has sent. */
import { processorSeconds } from "../process-usage.ts";
import { percentile } from "../statistics.ts";
import type { Contender } from "./contenders.ts";
import type { Faults } from "./load.ts";
import type { Database, Place } from "./place.ts";
import { QueueProcess } from "./queue-process.ts";

export interface MeasureOptions {
  /** Seconds of each phase. */
  readonly seconds: number;
  /** Updates that wait for an answer at any time, while the speed is measured. */
  readonly waiting: number;
  readonly chats: number;
  /** Updates in hand at a time in each process. */
  readonly concurrency: number;
  /** Updates a second while the latency is measured. */
  readonly rate: number;
  /** Milliseconds by which a round trip to PostgreSQL takes longer. */
  readonly delayMs: number;
}

export type QueueField = "updatesPerSecond" | "processorUs" | "serverUs" | "p50Ms" | "p99Ms";

/**
 * Updates a second at full speed, and the processor time of one: the processes' and PostgreSQL's. How long
 * people wait at a rate that every contender can keep up with.
 */
export type QueueFigures = Readonly<Record<QueueField, number>>;

/** Figures of a queue that loses or repeats are worth nothing. */
export class QueueBrokenError extends Error {
  override readonly name = "QueueBrokenError";
}

/** An update is remembered for as long as the measurement lasts. */
const dedupeKeepMs = 3_600_000;

export async function measureQueue(
  contender: Contender,
  place: Place,
  options: MeasureOptions,
): Promise<QueueFigures> {
  return withQueue(contender, place, { ...options, dedupeKeepMs }, async (running) => {
    const { database, first, processes, settle } = running;
    const { rate, seconds, waiting } = options;
    await first.fill(waiting, seconds / 2);
    await settle();
    const used = async () => ({
      own: processes.reduce((sum, { pid }) => sum + processorSeconds(pid), 0),
      server: (await database?.processorSeconds()) ?? Number.NaN,
    });
    const before = await used();
    const { answered, seconds: took } = await first.fill(waiting, seconds);
    const after = await used();
    const latencies = await first.pace(rate, seconds);
    return {
      updatesPerSecond: answered / took,
      processorUs: ((after.own - before.own) * 1e6) / answered,
      serverUs: ((after.server - before.server) * 1e6) / answered,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
    };
  });
}

export interface RunningQueue {
  /** Takes updates in, and sends. */
  readonly first: QueueProcess;
  readonly processes: readonly QueueProcess[];
  /** Undefined for a queue that needs none. */
  readonly database: Database | undefined;
  readonly settle: () => Promise<void>;
}

/** Starts it, ends it, and rejects with `QueueBrokenError` when it has lost, repeated or mixed up anything. */
export async function withQueue<Result>(
  { kind, processes: count, title }: Contender,
  place: Place,
  options: Omit<MeasureOptions, "rate" | "seconds" | "waiting"> & { readonly dedupeKeepMs: number },
  measure: (running: RunningQueue) => Promise<Result>,
): Promise<Result> {
  const database = kind === "sqlite" ? undefined : await place.makeDatabase(options.delayMs);
  const url = database?.url ?? place.makeDirectory();
  const { chats, concurrency, dedupeKeepMs } = options;
  const processes: QueueProcess[] = [];
  try {
    for (let process = 0; process < count; process++) {
      const own = { kind, url, process, concurrency, dedupeKeepMs, chats };
      processes.push(await QueueProcess.start(own));
    }
    const first = processes[0] as QueueProcess;
    const settle = async () => database?.settle();
    const result = await measure({ first, processes, database, settle });
    // Only the first one has fed anything, and sent.
    const [faults] = await Promise.all(processes.map((process) => process.end()));
    refuseFaults(title, faults as Faults);
    return result;
  } finally {
    for (const process of processes) process.kill();
    await database?.drop();
  }
}

function refuseFaults(title: string, faults: Faults): void {
  if (Object.values(faults).every((count) => count === 0)) return;
  const { disordered, repeated, unanswered } = faults;
  throw new QueueBrokenError(
    `${title}: ${unanswered} updates unanswered, ${repeated} repeated, ${disordered} out of order`,
  );
}
