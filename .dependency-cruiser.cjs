/**
 * Who may import whom (ARCHITECTURE.md). One "only imports" rule a folder, one rule a package.
 * Tests may import everything; nothing imports tests.
 */
const only = (folder, allowed) => ({
  name: `${folder}-only-imports`,
  severity: "error",
  from: { path: `^bot/${folder}/` },
  to: {
    path: "^bot/",
    pathNot: [folder, ...allowed].map((name) => `^bot/${name}/`).join("|"),
  },
});

const home = (dependency, folders) => ({
  name: `${dependency.replace(/[^a-z-]/g, "-")}-has-one-home`,
  severity: "error",
  from: { path: "^bot/", pathNot: `^bot/(${folders.join("|")}|tests/|bench/|drill/)` },
  to: { path: `(^|/)node_modules/${dependency}/|^${dependency}$` },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-orphans",
      severity: "error",
      from: {
        orphan: true,
        pathNot: "^bot/(tests/|start\\.ts|test-fault-tolerance\\.ts|operator/|doctor/main\\.ts)",
      },
      to: {},
    },
    only("contracts", []),
    only("policies", ["contracts"]),
    only("config", ["contracts"]),
    only("utils", ["contracts", "policies", "logging", "queue", "supervision"]),
    only("logging", ["contracts", "policies"]),
    only("supervision", ["contracts", "policies"]),
    only("queue", ["contracts", "policies"]),
    only("storage", ["contracts", "sealing"]),
    only("sealing", ["contracts"]),
    only("telegram", ["contracts", "policies", "http"]),
    only("shop", ["contracts"]),
    only("commands", ["contracts", "telegram", "shop"]),
    only("watchdog", ["contracts"]),
    only("records", []),
    only("restarts", ["contracts", "policies", "records"]),
    only("incidents", ["contracts", "policies", "records"]),
    only("probes", ["contracts", "policies"]),
    only("doctor", ["contracts", "config", "storage", "records", "restarts"]),
    only("api", ["contracts", "http"]),
    only("http", ["contracts"]),
    only("operator", ["contracts", "config", "storage"]),
    only("metrics", ["contracts"]),
    only("sandbox", []),
    only("history", []),
    {
      // It breaks the bot from outside; only its mains are bots themselves.
      name: "drill-only-imports",
      severity: "error",
      from: { path: "^bot/(drill/|test-fault-tolerance\\.ts)", pathNot: "^lab/drill/mains/" },
      to: {
        path: "^bot/",
        pathNot: "^bot/(drill|history|sandbox)/|^bot/(config/key-file|storage/row-reader)\\.ts$",
      },
    },
    {
      name: "nobody-imports-the-drill",
      severity: "error",
      from: { path: "^bot/", pathNot: "^bot/(drill/|tests/|test-fault-tolerance\\.ts)" },
      to: { path: "^lab/drill/" },
    },
    {
      name: "index-only-imports",
      severity: "error",
      from: { path: "^bot/index\\.ts$" },
      to: { path: "^bot/", pathNot: "^bot/(contracts|telegram|shop|commands)/" },
    },
    {
      name: "only-the-launcher-imports-assembly",
      severity: "error",
      from: {
        path: "^bot/",
        pathNot: "^bot/(enhanced-launcher\\.ts|assembly/|simulation/|tests/)",
      },
      to: { path: "^bot/assembly/" },
    },
    {
      name: "only-tests-import-the-simulation",
      severity: "error",
      from: { path: "^bot/", pathNot: "^bot/(simulation|tests)/" },
      to: { path: "^lab/simulation/" },
    },
    {
      name: "nobody-imports-the-launcher",
      severity: "error",
      from: { path: "^bot/", pathNot: "^bot/(start\\.ts|drill/|bench/|tests/)" },
      to: { path: "^bot/(enhanced-launcher|start)\\.ts$" },
    },
    {
      name: "nobody-imports-tests",
      severity: "error",
      from: { path: "^bot/", pathNot: "^tests/" },
      to: { path: "^tests/" },
    },
    home("telegraf", ["telegram/", "commands/", "index\\.ts", "simulation/"]),
    home("undici", ["telegram/"]),
    home("express", ["api/", "telegram/webhook-listener\\.ts"]),
    home("express-rate-limit", ["api/"]),
    home("helmet", ["api/"]),
    home("prom-client", ["metrics/"]),
    home("winston", ["utils/logger\\.ts", "logging/"]),
    home("winston-daily-rotate-file", ["logging/"]),
    home("p-retry", ["telegram/"]),
    home("pidusage", ["utils/process-monitor\\.ts"]),
    home("dotenv", ["config/", "start\\.ts"]),
    home("node:sqlite", ["storage/"]),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".json"],
    },
  },
};
