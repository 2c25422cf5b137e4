/**
 * PostgreSQL bench: measures the bot's queue on PostgreSQL, with one and two processes, beside its queue on
 * SQLite, pg-boss, and the bare statements.
 *
 * `npm run bench:postgres -- --help`. It starts a server of its own. Progress goes to stderr, the report to
 * stdout. Exit codes: 0 measured, whatever the figures are; 1 something did not work, or a queue lost, repeated
 * or mixed up something; 64 the arguments are invalid.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { namesAmong, parsedOrEnd, wholeNumber, wholeNumbers } from "./bench-arguments.ts";
import { type ContenderName, contenderNames, contenders } from "./durable-queues/contenders.ts";
import { type MeasureOptions, measureQueue, type QueueFigures } from "./durable-queues/measure.ts";
import { Place } from "./durable-queues/place.ts";
import { type QueueReport, queueText, rowsOf } from "./durable-queues/report.ts";
import { type SoakSample, soak } from "./durable-queues/soak.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { rotated } from "./statistics.ts";
import { figure } from "./text-table.ts";

const usage = `Measures the bot's queue on PostgreSQL beside others, all durable, on a server of its own.

  npm run bench:postgres [-- options]

  --only NAME[,NAME]  ${contenderNames.join(", ")};
                      those with -2 are two processes on one database
  --rounds N          default 3
  --seconds N         length of each phase, default 8
  --delay-ms N[,N]    how much longer a round trip to PostgreSQL takes, default 0,3
  --rate N            updates a second, for the latency and the soak, default 100
  --waiting N         updates waiting at any time, for the speed, default 1000
  --chats N           default 1000
  --concurrency N     updates in hand in each process, default 40
  --soak MINUTES      instead: postgres, or the one named by --only, for so long
  --json FILE         writes every figure as JSON
  --help              shows this text
`;

interface Given extends Omit<MeasureOptions, "delayMs"> {
  readonly help: boolean;
  readonly only: readonly ContenderName[];
  readonly rounds: number;
  readonly delaysMs: readonly number[];
  readonly soakMinutes: number | undefined;
  readonly json: string | undefined;
}

const given = parsedOrEnd(parse, usage);
if (given.help) process.stdout.write(usage);
else await run();

function parse(): Given {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      ...{ only: text, rounds: text, seconds: text, rate: text, waiting: text, chats: text },
      ...{ concurrency: text, soak: text, json: text, "delay-ms": text },
      help: { type: "boolean", default: false },
    },
  });
  const number = (name: string, value: string | undefined, max: number, usual: number) =>
    value === undefined ? usual : wholeNumber(name, value, 1, max);
  return {
    help: values.help,
    only: namesAmong("only", values.only, contenderNames),
    rounds: number("rounds", values.rounds, 100, 3),
    seconds: number("seconds", values.seconds, 3_600, 8),
    rate: number("rate", values.rate, 10_000, 100),
    waiting: number("waiting", values.waiting, 100_000, 1_000),
    chats: number("chats", values.chats, 1_000_000, 1_000),
    concurrency: number("concurrency", values.concurrency, 1_000, 40),
    delaysMs: wholeNumbers("delay-ms", values["delay-ms"] ?? "0,3", 0, 1_000),
    soakMinutes:
      values.soak === undefined ? undefined : wholeNumber("soak", values.soak, 1, 10_000),
    json: values.json,
  };
}

async function run(): Promise<void> {
  const machine = describeMachine();
  process.stdout.write(`${machineLine(machine)}\n\n`);
  const place = await Place.open();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void place.close().finally(() => process.exit(130)));
  }
  try {
    const figures = given.soakMinutes === undefined ? await compare(place) : await soakOne(place);
    if (given.json === undefined) return;
    writeFileSync(given.json, `${JSON.stringify({ machine, ...figures }, null, 2)}\n`);
  } finally {
    await place.close();
  }
}

async function compare(place: Place): Promise<{ readonly queues: readonly QueueReport[] }> {
  const queues: QueueReport[] = [];
  for (const delayMs of given.delaysMs) {
    const report = await compareAt(place, delayMs);
    queues.push(report);
    process.stdout.write(`${queueText(report)}\n\n`);
  }
  return { queues };
}

async function compareAt(place: Place, delayMs: number): Promise<QueueReport> {
  const { chats, concurrency, rate, rounds, seconds, waiting } = given;
  const options = { chats, concurrency, delayMs, rate, seconds, waiting };
  // The way to PostgreSQL is nothing to SQLite.
  const only = given.only.filter((name) => delayMs === 0 || contenders[name].kind !== "sqlite");
  const taken = new Map(only.map((name) => [name, [] as QueueFigures[]]));
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(only, round)) {
      const figures = await measureQueue(contenders[name], place, options);
      taken.get(name)?.push(figures);
      const { p99Ms, updatesPerSecond } = figures;
      process.stderr.write(
        `round ${round + 1}, ${delayMs} ms: ${contenders[name].title}: ` +
          `${figure(updatesPerSecond)}/s, p99 ${figure(p99Ms, 1)} ms\n`,
      );
    }
  }
  return { ...options, rounds, rows: rowsOf(taken) };
}

async function soakOne(place: Place): Promise<{ readonly soak: readonly SoakSample[] }> {
  const { delaysMs, only, soakMinutes: minutes = 0 } = given;
  const name = only.length === 1 ? (only[0] as ContenderName) : "postgres";
  const delayMs = delaysMs.length === 1 ? (delaysMs[0] as number) : 0;
  const tell = (line: string) => void process.stdout.write(`${line}\n`);
  return { soak: await soak({ ...given, delayMs, minutes, name }, place, tell) };
}
