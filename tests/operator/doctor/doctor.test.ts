/** Doctor: the program itself, on places made for it. */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { shippedModule } from "../../../bot/index.ts";
import type { Finding } from "../../../bot/operator/doctor/check.ts";
import { toCheck } from "../../../bot/operator/doctor/check.ts";
import { examine, toText } from "../../../bot/operator/doctor/doctor.ts";
import { findInstallation } from "../../../bot/operator/doctor/installation.ts";
import { movedFact } from "../../../bot/storage/moved-mark.ts";
import { lockDataDirectory } from "../../../bot/storage/sqlite/data-lock.ts";
import { configureDatabase, migrate } from "../../../bot/storage/sqlite/schema.ts";
import { openNodeSqlite } from "../../../bot/storage/sqlite/sqlite-driver.ts";
import { freePort } from "../../../sandbox/ensure.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { runOperatorProgram } from "../../support/operator-program.ts";

const packageDirectory = fileURLToPath(new URL("../../..", import.meta.url));
const botId = "123456";
const token = `${botId}:${"a".repeat(35)}`;

function setup(port = 9, lines: readonly string[] = []) {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "doctor-")));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const botDirectory = join(home, "data", botId);
  mkdirSync(botDirectory, { recursive: true, mode: 0o700 });
  mkdirSync(join(home, "pm2"), { mode: 0o700 });
  const contents = [`TELEGRAM_BOT_TOKEN=${token}`, `MONITORING_PORT=${port}`, ...lines].join("\n");
  const installation = () =>
    findInstallation({
      home,
      packageDirectory,
      env: { PM2_HOME: join(home, "pm2"), DATA_DIR: join(home, "data"), LOG_DIR: join(home, "l") },
      envFile: { name: ".env", contents, mode: 0o100600 },
      module: shippedModule,
      userDirectory: home,
      clock: new ManualClock(1_790_000_000_000),
    });
  return { botDirectory, home, installation };
}

const of = (findings: readonly Finding[], check: string) =>
  findings.filter((finding) => finding.check === check);

test.each([
  [["--hurry"], 78, "not understood: Unknown option '--hurry'"],
  [["--only", "everything"], 78, 'there is no check "everything"'],
  [["--help"], 0, "Usage: npm run doctor"],
])("the program answers %j with %i and a sentence", async (words, exitCode, text) => {
  const { home } = setup();
  const answer = await runOperatorProgram("doctor/main", home, words);
  expect(answer).toEqual({ exitCode, output: expect.stringContaining(text) });
  expect(answer.output).not.toContain("    at ");
});

test("before the first start nothing is wrong where nothing is in the way", async () => {
  const { installation } = setup(await freePort("127.0.0.1"));
  const findings = await examine(installation(), "before-start");
  expect(findings.filter(({ level }) => level === "wrong")).toEqual([]);
  expect(findings.length).toBeGreaterThan(8);
});

test("a file that is no database is found, and left as it is", async () => {
  const { botDirectory, installation } = setup();
  const file = join(botDirectory, "bot.db");
  const contents = Buffer.alloc(20_000, "not a database ");
  writeFileSync(file, contents);
  const [finding] = of(await examine(installation(), "running"), "database");
  expect(finding).toMatchObject({ level: "wrong" });
  expect(finding?.mend).toContain("backup");
  expect(readFileSync(file)).toEqual(contents);
});

test("a file whose data stayed behind, or went away, is found", async () => {
  const { botDirectory, installation } = setup(9, ["DATABASE_URL=postgres://127.0.0.1:9/bot"]);
  const database = openNodeSqlite(join(botDirectory, "bot.db"));
  configureDatabase(database);
  migrate(database, 0);
  const look = async (given = installation) => of(await examine(given(), "running"), "database");
  expect(await look()).toMatchObject([
    { level: "doubtful", says: expect.stringContaining("not moved") },
  ]);
  const mark = { id: "1", to: "over there", atEpochMs: 0, complete: true };
  database.prepare("INSERT INTO settings VALUES (?, ?)").run(movedFact, JSON.stringify(mark));
  expect(await look()).toEqual([]);
  const file = setup();
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  copyFileSync(join(botDirectory, "bot.db"), join(file.botDirectory, "bot.db"));
  expect(await look(file.installation)).toMatchObject([
    { level: "wrong", says: expect.stringContaining("over there") },
  ]);
});

test("a data directory that another process holds is found, with whom to stop", async () => {
  const { botDirectory, home, installation } = setup();
  writeFileSync(join(botDirectory, "bot.db"), "");
  // A process that works in the installation, as a bot does.
  const holder = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { cwd: home });
  onTestFinished(() => void holder.kill());
  const started = { startedAtEpochMs: 1_700_000_000_000, pid: holder.pid, version: "0" };
  writeFileSync(join(botDirectory, "restarts.jsonl"), `${JSON.stringify(started)}\n`);
  const lock = lockDataDirectory(botDirectory, openNodeSqlite);
  onTestFinished(() => lock.close());
  const [finding] = of(await examine(installation(), "before-start"), "data lock");
  expect(finding).toMatchObject({ level: "wrong", mend: `kill ${holder.pid}` });
});

test("a process that only has the number of a dead bot is not to be stopped", async () => {
  const { botDirectory, installation } = setup();
  writeFileSync(join(botDirectory, "bot.db"), "");
  const started = { startedAtEpochMs: 1_700_000_000_000, pid: process.pid, version: "0" };
  writeFileSync(join(botDirectory, "restarts.jsonl"), `${JSON.stringify(started)}\n`);
  const lock = lockDataDirectory(botDirectory, openNodeSqlite);
  onTestFinished(() => lock.close());
  const [finding] = of(await examine(installation(), "before-start"), "data lock");
  expect(finding).toMatchObject({ level: "wrong", mend: "Stop the other bot first." });
});

test("a port that another program holds is found before the start", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const { installation } = setup(port);
  const [finding] = of(await examine(installation(), "before-start"), "ports");
  expect(finding).toMatchObject({ level: "wrong" });
  expect(finding?.says).toContain("EADDRINUSE");
});

test("every wrong setting is a finding, and no value of a secret is shown", async () => {
  const { installation } = setup(9, ["QUEUE_CONCURRENCY=many", "BOT_TOKEN=999999:another-token"]);
  const findings = await examine(installation(), "before-start");
  const wrong = of(findings, "settings").map(({ says }) => says);
  expect(wrong.some((says) => says.includes("QUEUE_CONCURRENCY"))).toBe(true);
  expect(JSON.stringify(findings)).not.toContain("another-token");
  expect(JSON.stringify(findings)).not.toContain(token);
});

test("a token in PM2's dump is found", async () => {
  const { home, installation } = setup();
  writeFileSync(join(home, "pm2", "dump.pm2"), JSON.stringify([{ env: { BOT_TOKEN: token } }]));
  const findings = await examine(installation(), "running");
  expect(of(findings, "PM2 dump")[0]).toMatchObject({ level: "wrong" });
  expect(JSON.stringify(findings)).not.toContain(token);
});

test("where PM2 does not run, asking does not start it", async () => {
  const { home, installation } = setup();
  const findings = await examine(installation(), "running");
  expect(of(findings, "PM2 process")[0]?.says).toContain("PM2 does not run");
  expect(() => readFileSync(join(home, "pm2", "pm2.pid"))).toThrow("ENOENT");
});

test("what cannot be looked at is a finding too, never the end of the examination", async () => {
  const check = toCheck<string>({
    name: "a look that fails",
    applies: "always",
    look: () => {
      throw new Error("permission denied");
    },
    judge: () => ({ level: "fine", says: "" }),
  });
  const { installation } = setup();
  expect(await check.examine(installation())).toMatchObject([
    { level: "wrong", says: "cannot be checked: permission denied" },
  ]);
});

test("the text has a line for each finding, its mend below, and a count", () => {
  const text = toText([
    { check: "one", level: "fine", says: "is well" },
    { check: "another", level: "wrong", says: "is not", mend: "do this" },
  ]);
  expect(text).toBe(
    [
      "ok  one      is well",
      "NO  another  is not",
      "             mend: do this",
      "",
      "1 fine, 0 doubtful, 1 wrong",
      "",
    ].join("\n"),
  );
});
