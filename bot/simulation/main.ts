/** `npm run simulate`: many seeds, one after another, and what they broke. */
import { parseArgs } from "node:util";
import type { Finding } from "../history/verdict.ts";
import { type SimulationMode, simulate } from "./simulation.ts";

const usage = `Usage: npm run simulate -- [--seeds N] [--seed S] [--mode safety|liveness|both]
                           [--minutes M] [--from S] [--trace]

  --seeds N     How many seeds. Default 1000.
  --from S      The first one. Default 1.
  --seed S      Only this one.
  --minutes M   As many seeds as fit.
  --mode M      Which runs a seed gets. Default both.
  --trace       Prints the run's log; with --seed.`;

const findingsShown = 5;

interface Request {
  readonly seeds: number;
  readonly from: number;
  readonly minutes: number;
  readonly mode: SimulationMode;
  readonly trace: boolean;
}

function readRequest(args: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      from: { type: "string" },
      minutes: { type: "string" },
      mode: { type: "string", default: "both" },
      trace: { type: "boolean", default: false },
    },
  });
  const count = (name: "seeds" | "seed" | "from" | "minutes", fallback: number): number => {
    const text = values[name];
    const value = text === undefined ? fallback : Number(text);
    if (value > 0 && (name === "minutes" || Number.isSafeInteger(value))) return value;
    throw new Error(`--${name}: expected a number above 0, received ${JSON.stringify(text)}`);
  };
  const { mode, trace } = values;
  if (!["safety", "liveness", "both"].includes(mode)) {
    throw new Error(`--mode: expected safety, liveness or both, received ${JSON.stringify(mode)}`);
  }
  const one = values.seed === undefined ? undefined : count("seed", 1);
  return {
    seeds: one === undefined ? count("seeds", values.minutes ? Number.MAX_SAFE_INTEGER : 1_000) : 1,
    from: one ?? count("from", 1),
    minutes: count("minutes", Number.MAX_SAFE_INTEGER),
    mode: mode as SimulationMode,
    trace,
  };
}

async function run({ from, minutes, mode, seeds, trace }: Request): Promise<number> {
  const startedAtMs = performance.now();
  const minutesSoFar = () => (performance.now() - startedAtMs) / 60_000;
  const totals: Record<string, number> = {};
  let done = 0;
  let failed = 0;
  for (let seed = from; seed < from + seeds && minutesSoFar() < minutes; seed++) {
    const result = await simulate({ seed, mode, ...(trace && { trace: console.log }) });
    for (const [name, count] of Object.entries({ ...result.counts, lives: result.lives })) {
      totals[name] = (totals[name] ?? 0) + count;
    }
    if (trace) console.log(`hash ${result.hash}`);
    if (result.findings.length > 0) {
      failed++;
      report(seed, mode, result.findings);
    }
    done++;
    if (done % 1_000 === 0) console.log(`${done} seeds, ${failed} failed`);
  }
  const perMinute = Math.round(done / minutesSoFar());
  console.log(JSON.stringify(totals));
  console.log(`${done} seeds (${mode}), ${failed} failed, ${perMinute} seeds a minute`);
  return failed === 0 ? 0 : 1;
}

function report(seed: number, mode: SimulationMode, findings: readonly Finding[]): void {
  console.log(`seed ${seed}: ${findings.length} broken promises`);
  for (const { promise, what, where } of findings.slice(0, findingsShown)) {
    console.log(`  ${promise} ${what}: ${where}`);
  }
  console.log(`  replay: npm run simulate -- --seed ${seed} --mode ${mode} --trace`);
}

try {
  process.exitCode = await run(readRequest(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(usage);
  process.exitCode = 64;
}
