import { expect, test } from "vitest";
import {
  type DrillReport,
  summarizeAims,
  summarizeCoverage,
  toJson,
} from "../../../lab/drill/drill-report.ts";
import type { DrillFault } from "../../../lab/drill/fault.ts";
import { allFaults } from "../../../lab/drill/faults/all.ts";
import { formatPage } from "../../../lab/drill/html-report.ts";
import type { FaultReport } from "../../../lab/drill/run-fault.ts";
import { formatReport } from "../../../lab/drill/text-report.ts";

const fault: DrillFault = {
  name: "trip",
  title: "a cat trips <over> the cable",
  how: "a cable",
  areas: ["endToEnd"],
  groups: ["T7"],
  detection: { by: "nothing" },
  aim: "kill",
  inject: async () => {},
};

const clean = {
  updates: 5,
  lost: 0,
  doubled: 0,
  missing: 0,
  duplicated: 0,
  ambiguous: 2,
  disorder: 0,
  givenUp: 0,
  problems: [],
};

function reportOf(...faults: FaultReport[]): DrillReport {
  const aims = summarizeAims(faults);
  const coverage = summarizeCoverage([fault]);
  const held = faults.every(({ outcome }) => outcome !== "broken");
  const machine = { node: "v24", processors: 2, load: 0.5 };
  const outcome = { contender: "this bot", text: "0 lost", good: true };
  const peers = [{ scenario: "a storm", outcomes: [outcome] }];
  const run = { seed: 1, startedAt: "now", tookMs: 60_000 };
  return { ...run, ...machine, faults, aims, coverage, peers, held };
}

const held: FaultReport = {
  fault,
  outcome: "held",
  reasons: [],
  recoveredAfterMs: 1_500,
  judgement: clean,
  timeline: {
    injectedAtMs: 1_000,
    endedAtMs: 2_000,
    recoveredAtMs: 3_500,
    finishedAtMs: 5_000,
    repliesAtMs: [500, 3_500],
    exits: [{ atMs: 1_000, how: "SIGKILL" }],
  },
};

test("every area of the requirement and every group of known troubles has a fault", () => {
  const bare = summarizeCoverage(allFaults).filter(({ faults }) => faults.length === 0);
  expect(bare).toEqual([]);
  expect(summarizeCoverage(allFaults)).toHaveLength(7 + 15);
});

test("names of faults are unique, and can be typed", () => {
  const names = allFaults.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
});

test("aims that held say so, with the slowest time", () => {
  const aims = summarizeAims([held, { ...held, recoveredAfterMs: 1_900 }]);
  expect(aims.filter((aim) => !aim.held)).toEqual([]);
  expect(aims[0]).toMatchObject({ found: "at most 1.9 s, in 2 faults" });
});

test.each([
  ["too late", { ...held, recoveredAfterMs: 2_100 }],
  ["never back", { fault, outcome: "broken", reasons: ["gone"] } as const],
  ["a lost update", { ...held, judgement: { ...clean, lost: 1 } }],
  ["an effect twice", { ...held, judgement: { ...clean, doubled: 1 } }],
  ["a missing reply", { ...held, judgement: { ...clean, missing: 1 } }],
  ["a reply twice", { ...held, judgement: { ...clean, duplicated: 1 } }],
  ["disorder", { ...held, judgement: { ...clean, disorder: 1 } }],
] satisfies [string, FaultReport][])("an aim is missed by %s", (_, report) => {
  expect(summarizeAims([report]).some((aim) => !aim.held)).toBe(true);
});

test("times on a machine that is too busy are reported, but not judged", () => {
  const busy = { ...held, recoveredAfterMs: 9_000, late: "9 s", busy: "load 20 on 2 processors" };
  const [kill, ...others] = summarizeAims([busy]);
  expect(kill).toMatchObject({ found: expect.stringContaining("busy"), held: true });
  expect(others.filter((aim) => !aim.held)).toEqual([]);
  expect(formatReport(reportOf(busy)).join("\n")).toContain("9 s");
});

test("what was skipped neither holds nor breaks an aim", () => {
  const skipped: FaultReport = { fault, outcome: "skipped", reasons: ["no cable here"] };
  expect(summarizeAims([skipped]).filter((aim) => !aim.held)).toEqual([]);
  expect(formatReport(reportOf(skipped)).join("\n")).toContain("no cable here");
});

test("the text names every fault, its reasons, the aims and the coverage", () => {
  const broken: FaultReport = {
    ...held,
    outcome: "broken",
    reasons: ["it fell"],
    late: "too late",
  };
  const text = formatReport(reportOf(held, broken)).join("\n");
  for (const part of [
    "trip",
    "1.5 s",
    "absorbed",
    "it fell",
    "too late",
    "T7",
    "BROKEN",
    "a storm",
  ]) {
    expect(text).toContain(part);
  }
});

test("the page is self-contained: it has no script, loads nothing, and escapes every text", () => {
  const page = formatPage(reportOf(held));
  expect(page).toContain("a cat trips &lt;over> the cable");
  expect(page).toContain("<svg");
  expect(page).toContain("a storm");
  expect(page).not.toMatch(/<script|src=|href=|url\(|@import|https?:/);
});

test("the JSON has what the text has, and can be read back", () => {
  const { faults } = JSON.parse(toJson(reportOf(held))) as { faults: object[] };
  expect(faults[0]).toMatchObject({ name: "trip", groups: ["T7"], judgement: { updates: 5 } });
});
