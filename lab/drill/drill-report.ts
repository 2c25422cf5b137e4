/** Drill report: sums up all faults of a drill as aims, coverage and verdict. */
import { type Area, areas, type Described, type Group, groups } from "./fault.ts";
import type { PeerRow } from "./peers/contest.ts";
import { aimsMs, type FaultReport } from "./run-fault.ts";

export interface AimReport {
  readonly aim: string;
  readonly found: string;
  /** False only when the aim was judged and missed. */
  readonly held: boolean;
  /** The machine was too busy for times to mean anything. */
  readonly unjudged?: true;
}

export interface CoverageRow {
  /** An area of the requirement, or a group of known troubles. */
  readonly what: string;
  readonly faults: readonly string[];
}

export interface DrillReport {
  readonly seed: number;
  readonly node: string;
  readonly processors: number;
  /** The machine's average load; above the number of processors, times mean little. */
  readonly load: number;
  readonly startedAt: string;
  readonly tookMs: number;
  readonly faults: readonly FaultReport[];
  readonly aims: readonly AimReport[];
  readonly coverage: readonly CoverageRow[];
  /** Other bots under the same faults; empty without `--peers`. */
  readonly peers: readonly PeerRow[];
  /** Whether every promise held. A skipped fault breaks none. */
  readonly held: boolean;
}

/** The aims that these reports can judge. */
export function summarizeAims(reports: readonly FaultReport[]): readonly AimReport[] {
  const played = reports.filter(({ outcome }) => outcome !== "skipped");
  const time = (aim: keyof typeof aimsMs, sentence: string): AimReport[] => {
    const all = played.filter(({ fault }) => fault.aim === aim && !fault.needsHuman);
    const judged = all.filter(({ busy }) => busy === undefined);
    if (all.length === 0) return [];
    if (judged.length === 0) {
      const found = "the machine was too busy";
      return [{ aim: sentence, found, held: true, unjudged: true }];
    }
    const times = judged.map((report) => report.recoveredAfterMs ?? Number.POSITIVE_INFINITY);
    const worst = Math.max(...times);
    const rest = all.length - judged.length;
    const unjudged = rest > 0 ? `, ${rest} not judged on a busy machine` : "";
    const found = `at most ${(worst / 1000).toFixed(1)} s, in ${judged.length} faults${unjudged}`;
    return [{ aim: sentence, found, held: worst < aimsMs[aim] }];
  };
  const none = (sentence: string, counted: keyof Counts): AimReport => {
    const sum = played.reduce((total, { judgement }) => total + (judgement?.[counted] ?? 0), 0);
    return { aim: sentence, found: String(sum), held: sum === 0 };
  };
  const stuck = played.filter(
    ({ fault, recoveredAfterMs }) => recoveredAfterMs === undefined && !fault.needsHuman,
  );
  return [
    ...time("hang", "after a hang the bot answers again in less than 20 s"),
    ...time(
      "machine",
      "when a process or machine is lost or hangs, others answer in less than 12 s",
    ),
    ...time("outage", "after an outage of any part the bot answers in less than 5 s"),
    ...time("kill", "after kill -9 or a crash the bot answers in less than 2 s"),
    none("no update is lost", "lost"),
    none("no effect happens twice", "doubled"),
    none("no reply is missing", "missing"),
    none("no reply comes twice, but for ambiguous sends", "duplicated"),
    none("order in a chat is kept", "disorder"),
    ...(played.some(({ judgement }) => judgement?.refused !== undefined)
      ? [none("Telegram's limits are kept by all processes together", "refused")]
      : []),
    { aim: "no fault needs a human", found: String(stuck.length), held: stuck.length === 0 },
  ];
}

type Counts = Pick<
  NonNullable<FaultReport["judgement"]>,
  "lost" | "doubled" | "missing" | "duplicated" | "disorder" | "refused"
>;

/** The faults that cover each area of the requirement and each group of known troubles. */
export function summarizeCoverage(faults: readonly Described[]): readonly CoverageRow[] {
  const having = (has: (fault: Described) => boolean) => faults.filter(has).map(({ name }) => name);
  const ofArea = (Object.keys(areas) as Area[]).map((area) => ({
    what: areas[area],
    faults: having((fault) => fault.areas.includes(area)),
  }));
  const ofGroup = (Object.keys(groups) as Group[]).map((group) => ({
    what: `${group} ${groups[group]}`,
    faults: having((fault) => fault.groups?.includes(group) ?? false),
  }));
  return [...ofArea, ...ofGroup];
}

/** The report as JSON, without the functions of the faults. */
export function toJson(report: DrillReport): string {
  const faults = report.faults.map(({ fault, ...rest }) => {
    const { areas: inAreas, groups: inGroups = [], how, name, title } = fault;
    return { name, title, how, areas: inAreas, groups: inGroups, ...rest };
  });
  return `${JSON.stringify({ ...report, faults }, undefined, 2)}\n`;
}
