/**
 * Bench: measures this bot beside others, and prints what it measured. `npm run bench -- --help`.
 *
 * Every figure comes from the run that prints it. Progress goes to stderr, the report to stdout. Exit
 * codes: 0 measured, whatever the figures are; 1 something did not work; 64 the arguments are invalid.
 */
import { writeFileSync } from "node:fs";
import { drawBarPlot } from "./bar-plot.ts";
import {
  type BenchArguments,
  type BenchName,
  parseBenchArguments,
  parsedOrEnd,
  usage,
} from "./bench-arguments.ts";
import { floodText, measureFlood } from "./flood.ts";
import { latencyText, measureLatency } from "./latency.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { measureMemory, memoryText } from "./memory.ts";
import { closeScenes } from "./scene.ts";
import { measureSpeed, speedPlot, speedText } from "./speed.ts";

const exitInterrupted = 130;

const given = parsedOrEnd(() => parseBenchArguments(process.argv.slice(2)), usage);
if (given.help) process.stdout.write(usage);
else await run(given);

async function run(options: BenchArguments): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void closeScenes().finally(() => process.exit(exitInterrupted)));
  }
  const machine = describeMachine();
  process.stdout.write(`${machineLine(machine)}\n`);
  const figures: Partial<Record<BenchName, object>> = {};
  for (const bench of options.benches) {
    const { report, text } = await measure(bench, options);
    figures[bench] = report;
    process.stdout.write(`\n${text}\n`);
    // Written after each bench, so that a later one that fails takes nothing away.
    if (options.json !== undefined) {
      writeFileSync(options.json, `${JSON.stringify({ machine, ...figures }, null, 2)}\n`);
    }
  }
}

async function measure(bench: BenchName, options: BenchArguments) {
  switch (bench) {
    case "speed": {
      const report = await measureSpeed(options, narrate);
      if (options.svg !== undefined) writeFileSync(options.svg, drawBarPlot(speedPlot(report)));
      return { report, text: speedText(report) };
    }
    case "latency": {
      const report = await measureLatency(options, narrate);
      return { report, text: latencyText(report) };
    }
    case "memory": {
      const report = await measureMemory(options, narrate);
      return { report, text: memoryText(report) };
    }
    case "flood": {
      const report = await measureFlood(options, narrate);
      return { report, text: floodText(report) };
    }
  }
}

function narrate(line: string): void {
  process.stderr.write(`${line}\n`);
}
