/** The doctor's look at PostgreSQL: at a real server, and through a pooler that cannot carry the bot. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../bot/core/clock.ts";
import { shippedModule } from "../../../bot/index.ts";
import type { Finding } from "../../../bot/operator/doctor/check.ts";
import { examine } from "../../../bot/operator/doctor/doctor.ts";
import { findInstallation } from "../../../bot/operator/doctor/installation.ts";
import { BotProcess } from "../../../lab/drill/bot-process.ts";
import { noPgbouncer, startPgbouncer } from "../../support/pgbouncer.ts";
import { byHand, noPostgres, orSkipped, ownServer, postgresUrl } from "../../support/postgres.ts";
import { createPostgresStore } from "../../support/postgres-store.ts";

const packageDirectory = fileURLToPath(new URL("../../..", import.meta.url));

/** An installation whose bot has an id, and so a schema, that no other test uses. */
function setup(url: string) {
  const home = mkdtempSync(join(tmpdir(), "doctor-"));
  const botId = String(randomBytes(5).readUIntBE(0, 5) + 10 ** 8);
  const token = `${botId}:${"a".repeat(35)}`;
  const schema = `bot_${botId}`;
  onTestFinished(async () => {
    rmSync(home, { recursive: true, force: true });
    if (!noPostgres) await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });
  mkdirSync(join(home, "data"), { mode: 0o700 });
  const look = async () => {
    const installation = findInstallation({
      ...{ home, packageDirectory, module: shippedModule, userDirectory: home, clock: systemClock },
      env: { PM2_HOME: join(home, "pm2"), DATA_DIR: join(home, "data"), LOG_DIR: join(home, "l") },
      envFile: {
        ...{ name: ".env", mode: 0o100600 },
        contents: `TELEGRAM_BOT_TOKEN=${token}\nMONITORING_PORT=9\nDATABASE_URL='${url}'`,
      },
    });
    return examine(installation, "running");
  };
  return { home, look, schema, token };
}

const levels = (findings: readonly Finding[]) =>
  Object.fromEntries(
    findings
      .filter(({ check }) => check.startsWith("PostgreSQL"))
      .map(({ check, level }) => [check.replace("PostgreSQL ", ""), level]),
  );
const of = (findings: readonly Finding[], check: string) =>
  findings.filter((finding) => finding.check === `PostgreSQL ${check}`);

/** Settings with which the test's own server is fast, and which no bot should rely on. */
const carelessServer = ownServer ? "wrong" : expect.any(String);

describe.skipIf(noPostgres)(`the doctor on PostgreSQL${orSkipped}`, () => {
  test("finds a server that can carry the bot, and no file to look at", async () => {
    const { look, schema } = setup(await postgresUrl());
    const before = await look();
    expect(before.find(({ check }) => check === "PostgreSQL")?.says).toMatch(/version \d+/);
    expect(levels(before)).toEqual({
      ...{ PostgreSQL: "fine", rights: "fine", settings: "fine", durability: carelessServer },
      ...{ sessions: "fine", processes: "wrong", replication: "fine", snapshots: "fine" },
      ...{ bloat: "fine", clock: "fine" },
    });
    expect(before.map(({ check }) => check)).not.toContain("database");
    expect(before.map(({ check }) => check)).not.toContain("data lock");

    const store = await createPostgresStore({ schema, clock: systemClock });
    await store.open();
    const working = await look();
    expect(of(working, "processes")).toMatchObject([
      { level: "fine", says: expect.stringContaining(`${process.pid} on `) },
    ]);
    await store.close();
    await byHand(`INSERT INTO ${schema}.settings VALUES ('storage.moved', '{"to":"over there"}')`);
    expect(of(await look(), "rights")).toMatchObject([
      { level: "wrong", says: expect.stringContaining("over there") },
    ]);
  });

  test.skipIf(!ownServer)("names a server that may lose what it has confirmed", async () => {
    const { look } = setup(await postgresUrl());
    const says = of(await look(), "durability").map((finding) => `${finding.says} ${finding.mend}`);
    expect(says).toHaveLength(3);
    for (const name of ["fsync", "full_page_writes", "synchronous_commit"]) {
      expect(says.join("\n")).toContain(name);
    }
  });

  test("finds a role without the right to its schema, or with too few sessions", async () => {
    const { look, schema } = setup(await postgresUrl());
    const role = `role_${schema}`;
    await byHand(`CREATE ROLE ${role} LOGIN CONNECTION LIMIT 5`);
    onTestFinished(async () => {
      await byHand(`DROP OWNED BY ${role}`);
      await byHand(`DROP ROLE ${role}`);
    });
    const asRole = setup((await postgresUrl()).replace(/:\/\/[^@/]*@/, `://${role}@`));
    const findings = await asRole.look();
    expect(of(findings, "rights")).toMatchObject([
      { level: "wrong", mend: expect.stringContaining("GRANT CREATE ON DATABASE") },
    ]);
    expect(of(findings, "sessions")).toMatchObject([
      { level: "wrong", mend: expect.stringContaining("CONNECTION LIMIT") },
    ]);
    await byHand(`CREATE SCHEMA ${asRole.schema}`);
    expect(of(await asRole.look(), "rights")).toMatchObject([
      { level: "wrong", mend: expect.stringContaining("OWNER TO") },
    ]);
    await byHand(`ALTER SCHEMA ${asRole.schema} OWNER TO ${role}`);
    expect(of(await asRole.look(), "rights")).toMatchObject([{ level: "fine" }]);
    expect(of(await look(), "rights")).toMatchObject([{ level: "fine" }]);
  });

  test("sees who holds a snapshot", async () => {
    const holder = new pg.Client({ connectionString: await postgresUrl() });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await holder.query("SELECT 1");
    const { look } = setup(await postgresUrl());
    const [finding] = of(await look(), "snapshots");
    expect(finding).toMatchObject({ level: "fine", says: expect.stringContaining("process") });
  });

  test("says so once when nothing answers, and shows no password", async () => {
    const { look } = setup("postgres://bot:unlikely-password@127.0.0.1:9/bot");
    const findings = await look();
    expect(levels(findings)).toEqual({ PostgreSQL: "wrong" });
    expect(JSON.stringify(findings)).not.toContain("unlikely-password");
  });
});

const sessionMode =
  "Give DATABASE_URL the direct address of PostgreSQL, or one of the pooler in session mode.";

describe.skipIf(noPgbouncer)(
  `behind pgbouncer${noPgbouncer ? ` (skipped: ${noPgbouncer})` : ""}`,
  () => {
    test("in transaction mode the doctor and the bot's start refuse, with the mend", async () => {
      const url = await startPgbouncer("transaction");
      const { home, look, schema, token } = setup(url);
      const [finding] = (await look()).filter(({ check }) => check === "PostgreSQL");
      expect(finding).toMatchObject({ level: "wrong", mend: sessionMode });
      const bot = new BotProcess({
        ...{ directory: home, apiRoot: "http://127.0.0.1:9", token },
        env: { DATABASE_URL: url },
      });
      bot.start();
      expect(await bot.ended()).toBe(78);
      expect(bot.output).toContain(sessionMode);
      expect(await byHand("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema])).toEqual([]);
    });

    test("in session mode all is fine", async () => {
      const { look } = setup(await startPgbouncer("session"));
      expect(levels(await look())).toMatchObject({ PostgreSQL: "fine", settings: "fine" });
    });
  },
);
