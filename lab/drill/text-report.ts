/** Text report: formats the tables at the end of a drill for a terminal. */
import type { DrillReport } from "./drill-report.ts";
import type { FaultReport } from "./run-fault.ts";

const columns = [
  "fault",
  "detected",
  "recovered",
  "updates",
  "lost",
  "doubled",
  "missing",
  "dupl.",
  "ambig.",
  "order",
  "dead",
  "verdict",
] as const;

/** The report's lines; the last one is the verdict. */
export function formatReport(report: DrillReport): readonly string[] {
  return [
    ...(report.faults.length > 0 ? describeFaults(report) : []),
    ...(report.peers.length > 0 ? describePeers(report) : []),
    "",
    verdict(report),
  ];
}

function describeFaults(report: DrillReport): readonly string[] {
  return [
    "",
    ...table([columns, ...report.faults.map(toRow)]),
    "",
    ...report.faults.flatMap(describeReasons),
    "Aims",
    ...report.aims.map(
      ({ aim, found, held, unjudged }) =>
        `  ${unjudged ? "unjudged" : held ? "held    " : "BROKEN  "}  ${aim}: ${found}`,
    ),
    "",
    "Covered",
    ...describeCoverage(report),
  ];
}

/** A star marks an outcome in which a message was lost or doubled, a chat waited, or the bot ended. */
function describePeers({ peers }: DrillReport): readonly string[] {
  const head = ["trouble", ...(peers[0]?.outcomes.map(({ contender }) => contender) ?? [])];
  const rows = peers.map(({ outcomes, scenario }) => [
    scenario,
    ...outcomes.map(({ good, text }) => (good ? text : `${text} *`)),
  ]);
  return ["", ...table([head, ...rows])];
}

function toRow(report: FaultReport): readonly string[] {
  const { detectedAfterMs, fault, judgement, outcome, recoveredAfterMs } = report;
  const duration = (ms: number | undefined) =>
    ms === undefined ? "-" : `${(ms / 1000).toFixed(1)} s`;
  const count = (value: number | undefined) => String(value ?? "-");
  return [
    fault.name,
    fault.detection.by === "nothing" ? "absorbed" : duration(detectedAfterMs),
    duration(recoveredAfterMs),
    count(judgement?.updates),
    count(judgement?.lost),
    count(judgement?.doubled),
    count(judgement?.missing),
    count(judgement?.duplicated),
    count(judgement?.ambiguous),
    count(judgement?.disorder),
    count(judgement?.givenUp),
    outcome === "broken" ? "BROKEN" : outcome,
  ];
}

const reasonsMax = 10;

function describeReasons({
  fault,
  late,
  outcome,
  reasons: broken,
}: FaultReport): readonly string[] {
  const reasons = late === undefined ? broken : [late, ...broken];
  if (reasons.length === 0) return [];
  const more = reasons.length > reasonsMax ? [`  and ${reasons.length - reasonsMax} more`] : [];
  const shown = reasons.slice(0, reasonsMax).map((reason) => `  ${reason}`);
  return [`${fault.name} ${outcome}:`, ...shown, ...more, ""];
}

const namesMax = 4;

function describeCoverage({ coverage }: DrillReport): readonly string[] {
  const covered = coverage.filter(({ faults }) => faults.length > 0);
  const bare = coverage.filter(({ faults }) => faults.length === 0);
  return [
    ...covered.map(({ faults, what }) => `  ${what}: ${summarizeNames(faults)}`),
    ...(bare.length > 0 ? [`  not in this drill: ${bare.map(({ what }) => what).join(", ")}`] : []),
  ];
}

function summarizeNames(names: readonly string[]): string {
  const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : "";
  return names.slice(0, namesMax).join(", ") + more;
}

function verdict({ faults, held, load, processors, seed, tookMs }: DrillReport): string {
  const count = (outcome: FaultReport["outcome"]) =>
    faults.filter((report) => report.outcome === outcome).length;
  const what = held ? "Every promise held" : "A promise was BROKEN";
  if (faults.length === 0) return `${what}, seed ${seed}.`;
  const figures = `${count("held")} held, ${count("broken")} broken, ${count("skipped")} skipped`;
  const machine = `${processors} processors, load ${load.toFixed(1)}`;
  return `${what}: ${figures}, in ${(tookMs / 60_000).toFixed(1)} minutes (${machine}), seed ${seed}.`;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
}
