/**
 * Who may import whom (ARCHITECTURE.md). One "only imports" rule a folder, one rule a package.
 * Tests may import everything; nothing imports tests.
 */
const only = (folder, allowed, except = []) => ({
  name: `${folder.replaceAll("/", "-")}-only-imports`,
  severity: "error",
  from: { path: `^${folder}/`, ...(except.length > 0 && { pathNot: `^(${except.join("|")})` }) },
  to: {
    path: "^(bot|sandbox|lab|examples|tests)/",
    pathNot: [folder, ...allowed].map((name) => `^${name}(/|$)`).join("|"),
  },
});

const home = (dependency, places) => ({
  name: `${dependency.replace(/[^a-z-]/g, "-")}-has-one-home`,
  severity: "error",
  from: { path: "^bot/", pathNot: `^bot/(${places.join("|")})` },
  to: { path: `(^|/)node_modules/${dependency}/|^${dependency}$` },
});

/** The six faces of bot/utils, each with the folder of its name; none of them knows another. */
const faces = [
  "logger",
  "message-queue",
  "health-monitor",
  "process-monitor",
  "reconnect-manager",
  "fault-tolerance-manager",
];

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-orphans",
      severity: "error",
      from: {
        orphan: true,
        pathNot: "^(tests/|examples/|bot/start\\.ts|bot/test-fault-tolerance\\.ts|bot/operator/)",
      },
      to: {},
    },
    only("bot/core", []),
    only("bot/config", ["bot/core"]),
    only("bot/utils", ["bot/core"]),
    only("bot/storage", ["bot/core"]),
    only("bot/telegram", ["bot/core", "bot/kit"]),
    only("bot/telemetry", ["bot/core"]),
    only("bot/api", ["bot/core"]),
    only("bot/kit", ["bot/core", "bot/config"]),
    only("bot/shop", ["bot/core", "bot/kit"]),
    only("bot/operator", [
      "bot/core",
      "bot/config",
      "bot/kit",
      "bot/storage",
      "bot/telegram/client",
      "bot/utils/process-monitor",
      "bot/index.ts",
    ]),
    only("examples", ["bot/kit"]),
    only("sandbox", []),
    {
      // Its package has no dependencies; only the writer of the method table reads others' types.
      name: "the-sandbox-needs-no-package",
      severity: "error",
      from: { path: "^sandbox/", pathNot: "^sandbox/bot-api-table/" },
      to: { path: "(^|/)node_modules/", dependencyTypesNot: ["core"] },
    },
    only("lab/history", []),
    // It breaks the bot from outside; only its mains are bots themselves.
    only(
      "lab/drill",
      [
        "lab/history",
        "sandbox",
        "bot/config/key-file.ts",
        "bot/storage/sqlite/row-reader.ts",
        "bot/storage/postgres/row-reader.ts",
      ],
      ["lab/drill/mains/"],
    ),
    ...faces.map((face) => ({
      name: `${face}-knows-no-other-face`,
      severity: "error",
      from: { path: `^bot/utils/${face}(/|\\.ts$)` },
      to: { path: "^bot/utils/", pathNot: `^bot/utils/${face}(/|\\.ts$)` },
    })),
    {
      // A decision without I/O, time or chance; so it can be tested by tables and properties.
      name: "rules-import-core-only",
      severity: "error",
      from: { path: "^bot/.*-rules\\.ts$" },
      to: { pathNot: "^bot/core/|-rules\\.ts$" },
    },
    {
      name: "nobody-but-the-router-names-the-shop",
      severity: "error",
      from: { path: "^bot/", pathNot: "^bot/(shop/|index\\.ts$)" },
      to: { path: "^bot/shop/" },
    },
    {
      name: "index-only-imports",
      severity: "error",
      from: { path: "^bot/index\\.ts$" },
      to: { path: "^(bot|sandbox|lab)/", pathNot: "^bot/(core|config|kit|shop)/" },
    },
    {
      name: "only-the-start-imports-the-sandbox",
      severity: "error",
      from: { path: "^bot/", pathNot: "^bot/start\\.ts$" },
      to: { path: "^sandbox/" },
    },
    {
      name: "nobody-imports-the-lab",
      severity: "error",
      from: { path: "^(bot|sandbox)/", pathNot: "^bot/test-fault-tolerance\\.ts$" },
      to: { path: "^lab/" },
    },
    {
      name: "only-the-launcher-imports-its-groups",
      severity: "error",
      from: {
        path: "^(bot|lab)/",
        pathNot:
          "^(bot/enhanced-launcher\\.ts$|bot/enhanced-launcher/|lab/(simulation|crash-test)/)",
      },
      to: { path: "^bot/enhanced-launcher/" },
    },
    {
      name: "nobody-imports-the-launcher",
      severity: "error",
      from: { path: "^bot/", pathNot: "^bot/start\\.ts$" },
      to: { path: "^bot/(enhanced-launcher|start)\\.ts$" },
    },
    {
      name: "nobody-imports-tests",
      severity: "error",
      from: { path: "^(bot|sandbox|lab)/" },
      to: { path: "^tests/" },
    },
    home("telegraf", ["telegram/", "kit/", "shop/", "index\\.ts"]),
    home("undici", ["telegram/client/"]),
    home("express", [
      "api/",
      "telegram/intake/webhook-listener\\.ts",
      "telegram/mini-app/mini-app-server\\.ts",
    ]),
    home("express-rate-limit", ["api/"]),
    home("helmet", ["api/"]),
    home("prom-client", ["telemetry/"]),
    home("winston", ["utils/logger"]),
    home("winston-daily-rotate-file", ["utils/logger/"]),
    home("p-retry", ["telegram/"]),
    home("pidusage", ["utils/process-monitor"]),
    home("dotenv", ["config/", "start\\.ts"]),
    home("@grammyjs/types", ["kit/"]),
    home("croner", ["kit/"]),
    home("node:sqlite", ["storage/sqlite/"]),
    home("pg", ["storage/postgres/"]),
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
