/** Main: `npm run simulate` plays many seeds, one per thread at a time, and prints broken promises. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { playSeeds } from "./play-seeds.ts";
import { playSeed, type SeedReport } from "./seed-worker.ts";
import type { SimulationMode } from "./simulation.ts";

const usage = `Usage: npm run simulate -- [--seeds N] [--from S] [--minutes M] [--jobs J]
                           [--mode safety|liveness|both] [--seed S [--trace]]

  --seeds N     How many seeds. Default 1000.
  --from S      The first one. Default 1.
  --minutes M   As many seeds as fit.
  --jobs J      Threads. Default: one a processor.
  --mode M      safety: ends in the midst of the trouble; liveness: the trouble ends, and everything
                has to drain; both: judged at both points. Default both.
  --seed S      Only this one, with --trace its log.`;

interface Request {
  readonly seeds: number;
  readonly from: number;
  readonly minutes: number;
  readonly jobs: number;
  readonly mode: SimulationMode;
  readonly trace: boolean;
}

const findingsShown = 5;

function readRequest(args: readonly string[]): Request {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: text,
      seed: text,
      from: text,
      minutes: text,
      jobs: text,
      mode: { type: "string", default: "both" },
      trace: { type: "boolean", default: false },
    },
  });
  const count = (name: "seeds" | "seed" | "from" | "minutes" | "jobs", fallback: number) => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (value > 0 && (name === "minutes" || Number.isSafeInteger(value))) return value;
    throw new Error(`--${name}: expected a number above 0, received ${JSON.stringify(given)}`);
  };
  const { mode, trace } = values;
  if (mode !== "safety" && mode !== "liveness" && mode !== "both") {
    throw new Error(`--mode: expected safety, liveness or both, received ${JSON.stringify(mode)}`);
  }
  const seed = values.seed === undefined ? undefined : count("seed", 1);
  const many = values.minutes === undefined ? 1_000 : Number.MAX_SAFE_INTEGER;
  return {
    seeds: seed === undefined ? count("seeds", many) : 1,
    from: seed ?? count("from", 1),
    minutes: count("minutes", Number.MAX_SAFE_INTEGER),
    jobs: seed === undefined ? count("jobs", availableParallelism()) : 1,
    mode,
    trace: trace && seed !== undefined,
  };
}

async function run(request: Request): Promise<number> {
  const { from, jobs, minutes, mode, seeds, trace } = request;
  const startedAtMs = performance.now();
  const minutesSoFar = () => (performance.now() - startedAtMs) / 60_000;
  const totals: Record<string, number> = {};
  let next = from;
  let done = 0;
  let failed = 0;
  const take = () => (next < from + seeds && minutesSoFar() < minutes ? next++ : undefined);
  const note = (report: SeedReport) => {
    for (const [name, count] of Object.entries({ ...report.counts, lives: report.lives })) {
      totals[name] = (totals[name] ?? 0) + count;
    }
    if (trace) console.log(`hash ${report.hash}`);
    if (report.findings.length > 0) {
      failed++;
      printFindings(report, mode);
    }
    done++;
    if (done % 1_000 === 0) console.log(`${done} seeds, ${failed} failed`);
  };
  if (jobs === 1) {
    for (let seed = take(); seed !== undefined; seed = take()) {
      note(await playSeed({ seed, mode }, trace ? console.log : undefined));
    }
  } else {
    await playSeeds({ take, mode, note, jobs });
  }
  const perMinute = Math.round(done / minutesSoFar());
  console.log(JSON.stringify(totals));
  console.log(`${done} seeds (${mode}), ${failed} failed, ${perMinute} seeds a minute`);
  return failed === 0 ? 0 : 1;
}

function printFindings({ findings, seed }: SeedReport, mode: SimulationMode): void {
  console.log(`seed ${seed}: ${findings.length} broken promises`);
  for (const { promise, what, where } of findings.slice(0, findingsShown)) {
    console.log(`  ${promise} ${what}: ${where}`);
  }
  const options = mode === "both" ? "" : ` --mode ${mode}`;
  console.log(`  replay: npm run simulate -- --seed ${seed}${options} --trace`);
}

try {
  process.exitCode = await run(readRequest(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(usage);
  process.exitCode = 64;
}
