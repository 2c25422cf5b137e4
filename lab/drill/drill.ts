/** Drill: plays the chosen faults one after another, prints their progress, and writes the reports. */
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import {
  DrillArgumentError,
  type DrillArguments,
  parseDrillArguments,
  usage,
} from "./arguments.ts";
import {
  type AimReport,
  type DrillReport,
  summarizeAims,
  summarizeCoverage,
  toJson,
} from "./drill-report.ts";
import type { DrillFault } from "./fault.ts";
import { allFaults } from "./faults/all.ts";
import { manyKills } from "./faults/kills.ts";
import { randomSchedule } from "./faults/schedules.ts";
import { formatPage } from "./html-report.ts";
import { machineFaults } from "./machines/faults.ts";
import { runMachineFault, runManyMachineFaults } from "./machines/run.ts";
import { comparePeers, type PeerRow } from "./peers/contest.ts";
import { type FaultReport, type Narrate, runFault, seconds } from "./run-fault.ts";
import { formatReport } from "./text-report.ts";

/** All that `--only` can name. */
const everything = [...allFaults, ...machineFaults];

const exitCode = { held: 0, broken: 1, usage: 64 };

/** Runs a drill. @returns the exit code. */
export async function runDrill(words: readonly string[], say: Narrate): Promise<number> {
  const names = everything.map(({ name }) => name);
  let asked: DrillArguments;
  try {
    asked = parseDrillArguments(words, names, () => Math.floor(Math.random() * 2 ** 32));
  } catch (error) {
    if (!(error instanceof DrillArgumentError)) throw error;
    say(`${error.message}\n\n${usage}`);
    return exitCode.usage;
  }
  if (asked.help) say(usage);
  else if (asked.list)
    for (const fault of everything) say(`${fault.name.padEnd(40)} ${fault.title}`);
  else return play(asked, say);
  return exitCode.held;
}

async function play(asked: DrillArguments, say: Narrate): Promise<number> {
  const startedAtMs = performance.now();
  const startedAt = new Date().toISOString();
  const faults = chooseFaults(asked);
  if (faults.length > 0) say(`Faults against a real bot: ${faults.length}; seed ${asked.seed}.`);
  const reports: FaultReport[] = [];
  for (const [index, fault] of faults.entries()) {
    say(`[${index + 1}/${faults.length}] ${fault.title} (${fault.how})`);
    const report = await runFault(fault, { seed: asked.seed }, (line) => say(`        ${line}`));
    say(`        ${summarize(report)}`);
    reports.push(report);
  }
  reports.push(...(await playMachines(asked, say)));
  const peers = asked.peers ? await comparePeers(say) : [];
  const aims = reports.length > 0 ? summarizeAims(reports) : [];
  const report: DrillReport = {
    seed: asked.seed,
    node: process.version,
    processors: availableParallelism(),
    load: loadavg()[1] ?? 0,
    startedAt,
    tookMs: performance.now() - startedAtMs,
    faults: reports,
    aims,
    coverage: summarizeCoverage(reports.map(({ fault }) => fault)),
    peers,
    held: isHeld(reports, aims, peers),
  };
  if (asked.json) writeFileSync(asked.json, toJson(report));
  if (asked.html) writeFileSync(asked.html, formatPage(report));
  for (const line of formatReport(report)) say(line);
  return report.held ? exitCode.held : exitCode.broken;
}

/** Whether the drill held. Only this bot's column of the comparison counts. */
function isHeld(
  reports: readonly FaultReport[],
  aims: readonly AimReport[],
  peers: readonly PeerRow[],
): boolean {
  const unbroken = reports.every(({ outcome }) => outcome !== "broken");
  return (
    unbroken && aims.every(({ held }) => held) && peers.every(({ outcomes }) => outcomes[0]?.good)
  );
}

async function playMachines(
  { machines, only, seed }: DrillArguments,
  say: Narrate,
): Promise<readonly FaultReport[]> {
  const narrate = (line: string) => say(`        ${line}`);
  if (machines) return runManyMachineFaults(machines, seed, narrate);
  const chosen = machineFaults.filter(({ name }) => only.includes(name));
  const faults = machines === 0 && chosen.length === 0 ? machineFaults : chosen;
  const reports: FaultReport[] = [];
  for (const [index, fault] of faults.entries()) {
    say(`[${index + 1}/${faults.length}] ${fault.title} (${fault.how})`);
    const report = await runMachineFault(fault, seed, narrate);
    narrate(summarize(report));
    reports.push(report);
  }
  return reports;
}

function chooseFaults({
  kills,
  machines,
  minutes,
  only,
  peers,
  quick,
}: DrillArguments): readonly DrillFault[] {
  const long = [
    ...(kills === undefined ? [] : [manyKills(kills)]),
    ...(minutes === undefined ? [] : [randomSchedule(minutes, allFaults)]),
  ];
  const named = only.map((name) => allFaults.find((fault) => fault.name === name));
  const chosen = named.filter((fault) => fault !== undefined);
  if (long.length + chosen.length > 0) return [...chosen, ...long];
  if (machines !== undefined || only.length > 0) return [];
  if (peers && !quick) return [];
  return quick ? allFaults.filter((fault) => fault.quick) : allFaults;
}

function summarize({ judgement, late, outcome, reasons, recoveredAfterMs }: FaultReport): string {
  if (outcome === "skipped") return `skipped: ${reasons.join("; ")}`;
  if (outcome === "broken") return `BROKEN: ${late ?? reasons[0]}`;
  const after =
    recoveredAfterMs === undefined ? "" : `, answering after ${seconds(recoveredAfterMs)}`;
  return `held: ${judgement?.updates ?? 0} updates${after}`;
}
