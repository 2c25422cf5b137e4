/** What ships for Prometheus and Grafana, against what the bot really shows. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Figures, Prometheus } from "../../bot/telemetry/prometheus.ts";

const directory = fileURLToPath(new URL("../../deploy", import.meta.url));
const rules = readFileSync(`${directory}/prometheus-alerts.yml`, "utf8");
const dashboard = JSON.parse(readFileSync(`${directory}/grafana-dashboard.json`, "utf8")) as {
  panels: { title: string; targets: { expr: string }[] }[];
  annotations: { list: { expr: string }[] };
};
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const withPromtool = test.skipIf(!hasPromtool);
const why = hasPromtool ? "" : " (skipped: no promtool; Debian's package prometheus has it)";

const poolFigures = { waiting: 1, delayed: 0, inHand: 1, oldestAgeMs: 1, paused: false };
const figures: Figures = {
  ready: true,
  probes: { database: "healthy" },
  pools: { handling: poolFigures, sending: poolFigures, answering: poolFigures },
  queueLengthMax: 1,
  deadLetters: 1,
  breakerOpen: false,
  safeMode: false,
  connections: { database: { up: true, latencyMs: 1 } },
  holds: [{ kind: "paused", waitedMs: 90_000 }],
  server: { standbyLost: false, standbys: 0, oldestSnapshotMs: 0 },
  backupAgeMs: 5_000,
  roles: { intake: true, sending: false, sweeping: true },
  backupEveryMs: 86_400_000,
  openIncidents: 0,
  loopDelayMs: 1,
  memoryLimitBytes: 1,
  streamClients: 0,
  log: {
    drops: { error: 0, warn: 1, info: 2, debug: 3 },
    consoleDrops: 4,
    suppressed: 5,
    behindBytes: 6,
  },
};

/** Names in an expression, as the bot or Prometheus' client for Node.js give them. */
function namesIn(text: string): string[] {
  const names = [...text.matchAll(/\b(?:bot|process|nodejs)_[a-z_]+/g)].map(([name]) => name);
  // A histogram's name stands for three.
  return names.map((name) => name.replace(/_(bucket|sum|count)$/, ""));
}

async function shown(): Promise<{ names: Set<string>; text: string }> {
  const prometheus = new Prometheus({ version: "1", figures: async () => figures });
  const text = await prometheus.render();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  return { names: new Set(names), text };
}

test("every figure that an alert rule asks for is there", async () => {
  const { names } = await shown();
  const asked = namesIn(
    [...rules.matchAll(/expr: (.*(?:\n {10}.*)*)/g)].map(([, e]) => e).join("\n"),
  );

  expect(new Set(asked).size).toBeGreaterThan(15);
  for (const name of asked) expect(names).toContain(name);
});

test("every figure that the Grafana dashboard asks for is there, and every figure of ours is shown", async () => {
  const { names } = await shown();
  const queries = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...dashboard.annotations.list.map(({ expr }) => expr),
  ];
  const asked = new Set(namesIn(queries.join("\n")));

  for (const name of asked) expect(names).toContain(name);
  const unseen = [...names].filter((name) => name.startsWith("bot_") && !asked.has(name));
  expect(unseen.sort()).toEqual([
    "bot_api_stream_clients",
    "bot_info",
    "bot_previous_process_died",
    "bot_updates_duplicate_total",
  ]);
});

test("every rule says what is wrong and what to do", () => {
  const count = (pattern: RegExp) => [...rules.matchAll(pattern)].length;
  const alerts = count(/^ +- alert: /gm);

  expect(alerts).toBeGreaterThan(15);
  expect(count(/^ +summary: /gm)).toBe(alerts);
  expect(count(/^ +action: /gm)).toBe(alerts);
  expect(count(/severity: (critical|warning)/g)).toBe(alerts);
});

withPromtool(`promtool finds nothing wrong with the figures${why}`, async () => {
  const { text } = await shown();

  const { status, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text });

  expect(stderr.toString()).toBe("");
  expect(status).toBe(0);
});

withPromtool(`the alert rules do what their unit tests say${why}`, () => {
  execFileSync("promtool", ["check", "rules", "prometheus-alerts.yml"], { cwd: directory });
  execFileSync("promtool", ["test", "rules", "prometheus-alerts.test.yml"], { cwd: directory });
});
