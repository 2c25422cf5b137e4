/** Checks of the doctor: what each judgement is, for what was seen; every bad one says its mend. */
import { describe, expect, test } from "vitest";
import type { Judgement } from "../../../bot/operator/doctor/check.ts";
import { database, dataIsFree, dataIsHeld } from "../../../bot/operator/doctor/checks/database.ts";
import { directory, diskSpace } from "../../../bot/operator/doctor/checks/directories.ts";
import { freePorts, holds, ready } from "../../../bot/operator/doctor/checks/monitoring.ts";
import {
  dump,
  ecosystem,
  judgeSettings,
  pm2Process,
} from "../../../bot/operator/doctor/checks/pm2.ts";
import {
  judgeBloat,
  judgeClock,
  judgeConnections,
  judgeDurability,
  judgeProcesses,
  judgeReplication,
  judgeRights,
  judgeSessionSettings,
  judgeSnapshots,
} from "../../../bot/operator/doctor/checks/postgres.ts";
import { lastEnds } from "../../../bot/operator/doctor/checks/restarts.ts";
import { clock, nodeVersion } from "../../../bot/operator/doctor/checks/runtime.ts";
import { envFile, settings } from "../../../bot/operator/doctor/checks/settings.ts";
import { interruptedUpdate } from "../../../bot/operator/doctor/checks/update.ts";
import { type Pm2App, type Pm2Settings, parseList } from "../../../bot/operator/doctor/pm2.ts";

type Level = Judgement["level"];

/** Every row: what was seen, the level, and words that the sentence or its mend must hold. */
function judges<Fact>(
  judge: (fact: Fact) => Judgement | readonly Judgement[],
  rows: readonly (readonly [Fact, Level, ...string[]])[],
) {
  test.each(rows.map((row) => ({ row, shown: JSON.stringify(row[0]) })))("$shown", ({ row }) => {
    const [fact, level, ...words] = row;
    const judgements = [judge(fact)].flat();
    expect(judgements.map((judgement) => judgement.level)).toContain(level);
    for (const judgement of judgements) {
      expect(judgement.mend !== undefined).toBe(judgement.level !== "fine");
    }
    const said = judgements.map(({ mend, says }) => `${says} ${mend ?? ""}`).join("\n");
    for (const word of words) expect(said).toContain(word);
  });
}

describe("Node.js", () => {
  judges(nodeVersion("").judge, [
    ["v24.21.0", "fine"],
    ["v22.18.0", "fine"],
    ["v22.17.9", "wrong", "npm ci"],
    ["v20.20.2", "wrong", "22.18"],
    ["v23.11.0", "doubtful", "24"],
  ]);
});

describe("the clock", () => {
  const nowEpochMs = 1_790_000_000_000;
  judges(clock.judge, [
    [{ nowEpochMs, lastEpochMs: undefined }, "fine"],
    [{ nowEpochMs, lastEpochMs: nowEpochMs - 1 }, "fine"],
    [{ nowEpochMs, lastEpochMs: nowEpochMs + 3_600_000 }, "doubtful", "3600 s"],
    [{ nowEpochMs: 0, lastEpochMs: undefined }, "wrong", "set-ntp"],
  ]);
});

describe(".env", () => {
  judges(envFile.judge, [
    [{ found: true, mode: 0o100600 }, "fine"],
    [{ found: true, mode: undefined }, "fine"],
    [{ found: true, mode: 0o100644 }, "wrong", "mode 644", "chmod 600 .env"],
    [{ found: false, mode: undefined }, "doubtful", ".env.example"],
  ]);
});

describe("settings", () => {
  const problem = {
    variable: "QUEUE_CONCURRENCY",
    expected: "1 to 100",
    received: '"many"',
    hint: "Write a number.",
  };
  judges(settings.judge, [
    [{ problems: [], profile: "production", hasToken: true }, "fine", "production"],
    [{ problems: [], profile: "development", hasToken: false }, "fine", "sandbox"],
    [
      { problems: [problem], profile: "test", hasToken: true },
      "wrong",
      "QUEUE_CONCURRENCY",
      "Write a number.",
    ],
  ]);
});

describe("a directory", () => {
  const sound = { path: "/d", exists: true, directory: true, writable: true, mode: 0o40700 };
  judges(directory("data directory", () => "/d").judge, [
    [sound, "fine"],
    [{ ...sound, exists: false, directory: false, mode: undefined }, "fine", "first start"],
    [{ ...sound, mode: 0o40755 }, "doubtful", "chmod 700"],
    [{ ...sound, writable: false }, "wrong", "chown"],
    [{ ...sound, directory: false }, "wrong", "not a directory"],
  ]);
});

describe("disk space", () => {
  judges(diskSpace.judge, [
    [5_000, "fine"],
    [499, "doubtful", "df -h"],
    [99, "wrong", "99 MB"],
  ]);
});

describe("the data lock", () => {
  judges(dataIsHeld.judge, [
    [{ held: true, pid: 7 }, "fine", "process 7"],
    [{ held: false, pid: undefined }, "wrong", "pm2 restart"],
  ]);
  judges(dataIsFree.judge, [
    [{ held: false, pid: undefined }, "fine"],
    [{ held: true, pid: 7 }, "wrong", "kill 7"],
    [{ held: true, pid: undefined }, "wrong", "Stop the other bot"],
  ]);
});

describe("the database", () => {
  judges(database.judge, [
    [{ path: undefined, unchecked: true }, "fine", "none yet"],
    [{ path: "bot.db", unchecked: false }, "fine", "whole"],
    [{ path: "bot.db", unchecked: true }, "doubtful", "too large"],
    [
      { path: "bot.db", unchecked: true, elsewhere: true, unmoved: "bot.db" },
      ...(["doubtful", "bot.db", "npm run move -- --to postgres"] as const),
    ],
  ]);
});

describe("PM2's process", () => {
  const app: Pm2App = {
    pid: 7,
    status: "online",
    restarts: 2,
    startedAtEpochMs: 0,
    exitCode: 0,
    settings: {},
  };
  const seen = { holder: 7, lastWords: "", nowEpochMs: 60_000 };
  judges(pm2Process.judge, [
    [{ ...seen, pm2: [app] }, "fine", "1 min", "2 times"],
    [{ ...seen, pm2: [] }, "wrong", "deploy-fault-tolerance.sh"],
    [{ ...seen, pm2: [app, app] }, "wrong", "only one"],
    [{ ...seen, holder: 9, pm2: [app] }, "wrong", "kill 9"],
    [{ ...seen, pm2: "no-pm2" }, "wrong", "not installed"],
    [{ ...seen, holder: undefined, pm2: "no-daemon" }, "wrong", "pm2 resurrect"],
    [{ ...seen, pm2: "no-daemon" }, "wrong", "process 7 runs without it", "then kill 7"],
    [
      {
        ...seen,
        holder: undefined,
        lastWords: "first\n1 configuration problem",
        pm2: [{ ...app, pid: 0, status: "stopped", exitCode: 78 }],
      },
      "wrong",
      "1 configuration problem",
      "Correct .env",
    ],
  ]);
});

describe("settings of PM2's", () => {
  const sound: Pm2Settings = {
    stop_exit_codes: [78],
    autorestart: true,
    max_restarts: 1e9,
    kill_timeout: 15_000,
    exec_mode: "fork",
    instances: 1,
    filter_env: [""],
  };
  const judge = (change: Pm2Settings) => judgeSettings({ ...sound, ...change }, "file");

  test("those that hold are fine, as the file has them and as PM2 keeps them", () => {
    expect(judge({})).toEqual([]);
    expect(judge({ stop_exit_codes: 78, exec_mode: "fork_mode", watch: false })).toEqual([]);
    expect(ecosystem.judge([["file", sound]])).toMatchObject({ level: "fine" });
    expect(ecosystem.judge([])).toMatchObject({ level: "wrong" });
  });

  test.each<[string, Pm2Settings]>([
    ["stop_exit_codes", { stop_exit_codes: [0, 78] }],
    ["stop_exit_codes", { stop_exit_codes: ["0", 78] }],
    ["stop_exit_codes", { stop_exit_codes: undefined }],
    ["autorestart", { autorestart: false }],
    ["max_restarts", { max_restarts: 16 }],
    ["max_restarts", { max_restarts: undefined }],
    ["kill_timeout", { kill_timeout: 1_600 }],
    ["exec_mode", { exec_mode: "cluster" }],
    ["instances", { instances: 2 }],
    ["watch", { watch: ["bot"] }],
    ["filter_env", { filter_env: true }],
    ["filter_env", { filter_env: undefined }],
  ])("%s is refused as %j", (setting, change) => {
    const found = judge(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ level: "wrong" });
    expect(found[0]?.says).toContain(setting);
    expect(found[0]?.mend).toContain("ecosystem.config.js");
  });
});

describe("PM2's dump", () => {
  const sound = { name: "dump.pm2", exists: true, saved: true, hasToken: false };
  judges(dump.judge, [
    [[sound], "fine"],
    [[{ ...sound, hasToken: true }], "wrong", "@BotFather"],
    [[sound, { ...sound, name: "dump.pm2.bak", hasToken: true }], "wrong", "dump.pm2.bak holds"],
    [[{ ...sound, exists: false, saved: false }], "doubtful", "pm2 save"],
  ]);
});

describe("readiness", () => {
  const address = "http://127.0.0.1:3001";
  judges(ready.judge, [
    [{ address, status: 200, reasons: [] }, "fine"],
    [{ address, status: 503, reasons: ["safe mode holds"] }, "doubtful", "safe mode holds"],
    [{ address, status: undefined, reasons: [] }, "wrong", "no answer"],
    [{ address, status: 404, reasons: [] }, "wrong", "another program", "MONITORING_PORT"],
  ]);
});

describe("holds", () => {
  const address = "http://127.0.0.1:3001";
  const hold = { id: "paused:sending", reason: "an operator has paused it", waitedMs: 61_000 };
  judges(holds.judge, [
    [{ address, holds: [] }, "fine"],
    [{ address, holds: [{ ...hold, waitedMs: 60_000 }] }, "fine"],
    [{ address, holds: [hold] }, "doubtful", "61 s", "docs/operations.md"],
    [{ address, holds: undefined }, "doubtful", "could not be read"],
  ]);
});

describe("the ports", () => {
  const port = { variable: "MONITORING_PORT", port: 3001 };
  judges(freePorts.judge, [
    [[{ ...port, code: undefined }], "fine"],
    [[{ ...port, code: "EADDRINUSE" }], "wrong", "ss -ltnp", "MONITORING_PORT"],
    [[{ ...port, port: 80, code: "EACCES" }], "wrong", "above 1023"],
  ]);
});

describe("the last ends", () => {
  const record = (cause: string, clean: boolean, detail?: string) => ({
    startedAtEpochMs: 1,
    pid: 1,
    version: "1",
    end: { atEpochMs: 2, cause, clean, ...(detail && { detail }) },
  });
  const living = { startedAtEpochMs: 3, pid: 2, version: "1" };
  const hang = record("hang", false, "no sign of life, in spin");
  judges(lastEnds.judge, [
    [[], "fine", "none yet"],
    [[record("SIGTERM", true), living], "fine", "SIGTERM"],
    [[hang, hang, living], "fine", "hang"],
    [[hang, hang, record("unknown", false), living], "doubtful", "in spin", "unknown"],
  ]);
});

describe("an update", () => {
  judges(interruptedUpdate.judge, [
    [undefined, "fine"],
    ["from a to b", "doubtful", "from a to b", "deploy-fault-tolerance.sh"],
  ]);
});

test("PM2's list is read without what PM2 says before it, and without the environment", () => {
  const env = { status: "online", restart_time: 3, pm_uptime: 5, exit_code: 1 };
  const list = [
    { name: "telegram-bot", pid: 7, pm2_env: env },
    { name: "another", pid: 8, pm2_env: env },
  ];
  const apps = parseList(`[PM2] Spawning PM2 daemon\n${JSON.stringify(list)}\n`);
  expect(apps.map(({ pid, restarts, status }) => ({ pid, restarts, status }))).toEqual([
    { pid: 7, restarts: 3, status: "online" },
  ]);
  expect(parseList("[]\n")).toEqual([]);
  expect(parseList("")).toEqual([]);
});

describe("PostgreSQL: rights and processes", () => {
  const sound = {
    ...{ name: "bot_42", role: "bot", exists: true, allowed: true, movedTo: undefined },
    living: [{ host: "one", pid: 7 }],
  };
  judges(judgeRights, [
    [sound, "fine", "its own"],
    [{ ...sound, exists: false }, "fine", "can be made"],
    [{ ...sound, allowed: false }, "wrong", "ALTER SCHEMA bot_42 OWNER TO bot"],
    [{ ...sound, exists: false, allowed: false }, "wrong", "GRANT CREATE"],
    [{ ...sound, movedTo: "data/42/bot.db" }, "wrong", "data/42/bot.db", "npm run move"],
  ]);
  judges(judgeProcesses, [
    [sound, "fine", "7 on one"],
    [{ ...sound, living: [] }, "wrong", "none is running"],
  ]);
});

describe("PostgreSQL: settings and durability", () => {
  judges(judgeSessionSettings, [
    [[], "fine"],
    [["idle_session_timeout (permission denied)"], "wrong", "idle_session_timeout"],
  ]);
  const sound = { fsync: "on", full_page_writes: "on", synchronous_commit: "on" };
  judges(judgeDurability, [
    [sound, "fine"],
    [{ ...sound, synchronous_commit: "remote_apply" }, "fine"],
    [{ ...sound, synchronous_commit: "off" }, "wrong", "synchronous_commit"],
    [{ ...sound, fsync: "off" }, "wrong", "ALTER SYSTEM SET fsync = on"],
    [{ ...sound, full_page_writes: "off" }, "wrong", "full_page_writes"],
  ]);
});

describe("PostgreSQL: sessions", () => {
  type Seen = { max: number; others: number; ownMax: number; processes: number };
  const sound: Seen = { max: 97, others: 3, ownMax: -1, processes: 1 };
  judges(
    ({ processes, ...seen }: Seen) => judgeConnections(seen, processes),
    [
      [sound, "fine", "up to 19"],
      [{ ...sound, processes: 0 }, "fine", "up to 19"],
      [{ ...sound, processes: 4 }, "doubtful", "in an update", "max_connections"],
      [{ ...sound, processes: 5 }, "wrong", "up to 95", "max_connections"],
      [{ ...sound, ownMax: 10 }, "wrong", "CONNECTION LIMIT"],
    ],
  );
});

describe("PostgreSQL: replication", () => {
  const standby = (syncState: string | undefined) => ({ name: "second", syncState });
  judges(judgeReplication, [
    [{ names: "", standbys: [] }, "fine", "no standby"],
    [{ names: "", standbys: [standby("async")] }, "doubtful", "can lose what was confirmed"],
    [{ names: "second", standbys: [standby("sync")] }, "fine", "second (sync)"],
    [{ names: "ANY 1 (*)", standbys: [standby("quorum")] }, "fine"],
    [{ names: "second", standbys: [standby(undefined)] }, "doubtful", "pg_monitor"],
    [{ names: "second", standbys: [] }, "wrong", "stands still"],
    [{ names: "second", standbys: [standby("async")] }, "wrong", "not connected"],
  ]);
});

describe("PostgreSQL: snapshots, bloat and clock", () => {
  const snapshot = { hidden: 0, holder: "process 7 of bot (pg_dump)", oldestSeconds: 60 };
  judges(judgeSnapshots, [
    [{ ...snapshot, holder: "", oldestSeconds: 0 }, "fine", "none is held"],
    [snapshot, "fine", "pg_dump"],
    [{ ...snapshot, hidden: 2 }, "fine", "2 sessions are hidden"],
    [{ ...snapshot, oldestSeconds: 61 }, "doubtful", "process 7", "61 s"],
  ]);
  const table = { table: "lanes", live: 1_000, dead: 20_000, lastAutovacuum: undefined };
  judges(judgeBloat, [
    [[], "fine"],
    [[table], "fine"],
    [[{ ...table, dead: 20_001 }], "doubtful", "20001 dead rows", "never"],
    [[{ ...table, live: 10_000, dead: 30_000 }], "fine"],
  ]);
  judges(judgeClock, [
    [{ aheadMs: -900, doubtMs: 5 }, "fine"],
    [{ aheadMs: 1_200, doubtMs: 300 }, "fine"],
    [{ aheadMs: 2_400, doubtMs: 5 }, "doubtful", "2 s ahead", "set-ntp"],
    [{ aheadMs: -3_000, doubtMs: 5 }, "doubtful", "3 s behind"],
  ]);
});
