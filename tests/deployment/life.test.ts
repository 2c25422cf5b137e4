/**
 * The life of an installation under real PM2: installed by one command, killed, hung, out of memory,
 * rebooted, left alone by its PM2; it answers again each time, and the token is nowhere in PM2's files.
 */
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import { type Installation, setupInstallation } from "./installation.ts";

/** What this version of the bot does on request: hang, and take more memory than it may. */
const troubles = `
process.on("SIGUSR2", () => { for (;;); });
const kept: Buffer[] = [];
const take = () => { if (kept.push(Buffer.alloc(20 * 2 ** 20, 1)) < 12) setTimeout(take, 50); };
process.removeAllListeners("SIGHUP").on("SIGHUP", take);
`;

/** The handler of /help uses up V8's heap the first time: no code of ours runs any more, V8 aborts. */
const heapAbort = `
import { existsSync, writeFileSync } from "node:fs";
function afterUsingUpTheHeapOnce<T>(given: T): T {
  if (existsSync("logs/heap-used-up")) return given;
  writeFileSync("logs/heap-used-up", "");
  for (const kept: number[][] = []; ; ) kept.push(new Array<number>(50_000).fill(0.5));
}
`;

/**
 * V8's heap limit in this test. In production it equals MEMORY_LIMIT_MB, so the bot's own limit, which
 * counts more than the heap, comes first; for V8 to come first, MEMORY_LIMIT_MB is far above it here.
 */
const heapLimitMb = 120;

test("an installed bot comes back from everything, and PM2 never sees its token", {
  timeout: 600_000,
}, async () => {
  // On a busy machine V8 takes seconds to give up and to write its report, which must not look like a hang.
  const bot = await setupInstallation({ HANG_KILL_MS: "6000", MEMORY_LIMIT_MB: "300" });
  const reports = join(bot.directory, "logs");
  bot.commit("bot/start.ts", (text) => text + troubles);
  bot.commit("bot/shop/commands/help.ts", (text) => {
    const [before, after] = text.split("ctx.reply(");
    return `${before}afterUsingUpTheHeapOnce(ctx).reply(${after}${heapAbort}`;
  });
  bot.commit("ecosystem.config.js", (text) =>
    text.replace(
      /`--max-old-space-size=[^`]+`/,
      `"--max-old-space-size=${heapLimitMb}", "--report-on-fatalerror", "--report-directory=${reports}"`,
    ),
  );

  const startedAtMs = performance.now();
  const seconds = (what: string) =>
    console.log(`${what}: ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
  const installed = await bot.deploy("--env", "test", "--token-file", bot.tokenFile);
  expect(installed, installed.output).toMatchObject({ code: 0 });
  expect(installed.output).not.toContain(secretOf(bot.token));
  expect(statSync(join(bot.directory, ".env")).mode & 0o777).toBe(0o600);
  await bot.greet(1);
  seconds("installed");
  const first = await bot.pid();

  const again = await bot.deploy();
  expect(again.output).toContain("runs already");
  expect(await bot.pid()).toBe(first);
  expect(await bot.doctor()).toMatchObject({ healthy: true });
  expect(textOf(bot.pm2Home)).toContain("telegram-bot");
  expect(textOf(bot.pm2Home)).not.toContain(secretOf(bot.token));
  expect((await bot.pm2("jlist")).output).not.toContain(secretOf(bot.token));

  process.kill(first, "SIGKILL");
  const second = await bot.pid(first);
  await bot.greet(2);
  seconds("killed");

  process.kill(second, "SIGUSR2");
  const third = await bot.pid(second);
  await bot.greet(3);
  seconds("hung");
  expect(await lastCause(bot)).toBe("hang");

  process.kill(third, "SIGHUP");
  const fourth = await bot.pid(third);
  await bot.greet(4);
  seconds("out of memory");
  expect(await lastCause(bot)).toContain("memory");

  await bot.sandbox.write({ userId: 4, text: "/help" });
  await bot.pid(fourth);
  const isHelp = ({ text }: { text?: string }) =>
    text?.startsWith("This is what I can do") ?? false;
  await bot.sandbox.waitForMessage(4, isHelp, { timeoutMs: 60_000 });
  seconds("aborted by V8");
  const report = readdirSync(reports).find((name) => name.startsWith("report."));
  expect(readFileSync(join(reports, report ?? ""), "utf8")).toContain("heap out of memory");
  // What is not the bot's own would keep the log directory from being purged.
  for (const name of [report ?? "", "heap-used-up"]) rmSync(join(reports, name));
  await bot.greet(40);
  expect((await bot.sandbox.messages({ chatId: 4 })).filter(isHelp)).toHaveLength(1);

  await bot.pm2("kill");
  const dead = await bot.doctor();
  expect(dead.findings.filter(({ level }) => level === "wrong").length).toBeGreaterThan(0);
  for (const { level, mend } of dead.findings) if (level !== "fine") expect(mend).toBeTruthy();
  await bot.pm2("resurrect");
  await bot.greet(5);
  seconds("resurrected");

  const orphan = await bot.pid();
  process.kill(Number(readFileSync(join(bot.pm2Home, "pm2.pid"), "utf8")), "SIGKILL");
  await bot.greet(6);
  expect(await mendFor(bot, "PM2 process")).toContain(`kill ${orphan}`);
  await bot.pm2("resurrect");
  await bot.greet(7);
  process.kill(orphan, "SIGTERM");
  await bot.pid(orphan);
  await bot.greet(8);
  seconds("after daemon death");
  await eventually("the doctor is content", async () => (await bot.doctor()).healthy, 60_000);

  const last = await bot.pid();
  expect(await bot.deploy("--uninstall")).toMatchObject({ code: 0 });
  expect(() => process.kill(last, 0)).toThrow("ESRCH");
  expect(readdirSync(bot.directory)).toEqual(expect.arrayContaining([".env", "data", "logs"]));
  expect(await bot.deploy("--uninstall", "--purge")).toMatchObject({ code: 0 });
  for (const name of [".env", "data", "logs", "releases"]) {
    expect(readdirSync(bot.directory)).not.toContain(name);
  }
});

function secretOf(token: string): string {
  return token.split(":")[1] as string;
}

/** Everything PM2 has written down. */
function textOf(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
}

async function lastCause(bot: Installation): Promise<string | undefined> {
  const { restarts } = await bot.api<{ restarts: { end?: { cause: string } }[] }>("/api/status");
  return restarts.find(({ end }) => end)?.end?.cause;
}

async function mendFor(bot: Installation, check: string): Promise<string | undefined> {
  const { findings } = await bot.doctor();
  return findings.find((finding) => finding.check === check)?.mend;
}
