/**
 * Hangs of the real process: each of the six kinds is noticed and killed, the next process knows where
 * it hung, and answers; a pause that ends, and a suspended machine, are survived.
 */
import { describe, expect, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import type { hangs } from "../../lab/drill/sabotage.ts";
import { setupLiveBot } from "../support/live-bot.ts";

async function setup(env: Readonly<Record<string, string>> = {}) {
  const live = await setupLiveBot({ HANG_KILL_MS: "3000", ...env });
  const { bot, sandbox } = live;
  bot.start();
  const url = await bot.monitoringUrl();
  const status = async () => {
    const answer = await fetch(`${await bot.monitoringUrl()}/api/status`);
    return ((await answer.json()) as { data: Status }).data;
  };
  const hang = (how: keyof typeof hangs) => bot.sabotage({ kind: "hang", how });
  const greet = async (userId: number) => {
    await sandbox.write({ userId, text: "/start" });
    const hello = (message: { text?: string }) => message.text?.startsWith("Hello") ?? false;
    await sandbox.waitForMessage(userId, hello, { timeoutMs: 15_000 });
  };
  return { ...live, greet, hang, status, url };
}

interface Status {
  readonly incidents: readonly object[];
  readonly intake: { readonly state: string };
  readonly restarts: readonly {
    readonly end?: { readonly cause: string; readonly detail?: string; readonly clean: boolean };
  }[];
}

describe("the watchdog ends", () => {
  test.each<[keyof typeof hangs, string]>([
    ["a tight loop", "in spin (lab/drill/sabotage.ts:"],
    ["a regular expression", "in match (lab/drill/sabotage.ts:"],
    ["a storm of promises", "in again (lab/drill/sabotage.ts:"],
    ["a wait for shared memory", "in wait (lab/drill/sabotage.ts:"],
    ["a runaway query", "in native code"],
    ["a child process", "in native code"],
  ])("%s", { timeout: 60_000 }, async (how, where) => {
    const { bot, greet, hang, status } = await setup();
    await hang(how);
    const hungAtMs = performance.now();
    // 137 is a kill; the harness reports it as no exit code.
    await bot.ended();
    bot.start();
    await greet(1);
    const tookS = (performance.now() - hungAtMs) / 1000;
    console.log(`${how}: back and answering ${tookS.toFixed(1)} s after the hang began`);
    const [, before] = (await status()).restarts;
    expect(before?.end).toMatchObject({ cause: "hang", clean: false });
    expect(before?.end?.detail).toContain(where);
    expect(await bot.stop()).toBe(0);
  });
});

test("a pause that ends is reported with its place, and survived", {
  timeout: 60_000,
}, async () => {
  const { bot, greet, hang } = await setup();
  const { pid } = bot;
  await hang("a pause that ends");
  await eventually("the report", async () => /loop\.stalled.*pause/.test(bot.output), 20_000);
  await greet(1);
  expect(bot.pid).toBe(pid);
  expect(await bot.stop()).toBe(0);
});

test("a machine that was suspended is not a hang", { timeout: 60_000 }, async () => {
  const { bot, greet } = await setup();
  const { pid = 0 } = bot;
  process.kill(pid, "SIGSTOP");
  await pause(5_000);
  process.kill(pid, "SIGCONT");
  await greet(1);
  expect(bot.pid).toBe(pid);
  expect(bot.output).not.toContain("loop.stalled");
  expect(await bot.stop()).toBe(0);
});

test("after three deaths in a row the next process answers at once, and says that it is careful", {
  timeout: 90_000,
}, async () => {
  const env = { SAFE_MODE_DEATHS: "3", ADMIN_IDS: "99" };
  const { bot, greet, sandbox, status } = await setup(env);
  await sandbox.createUser({ id: 99, firstName: "Operator", started: true });
  for (let death = 0; death < 3; death++) {
    await bot.kill();
    bot.start();
    await bot.monitoringUrl();
  }
  const health = await fetch(`${await bot.monitoringUrl()}/api/health`);
  const { data } = (await health.json()) as { data: { checks: Record<string, object> } };
  expect(data.checks["restarts"]).toMatchObject({
    status: "degraded",
    state: "careful",
    deaths: 3,
  });
  await greet(1);
  const told = ({ text }: { text?: string }) =>
    text?.includes("safe mode: 3 unclean ends") ?? false;
  await sandbox.waitForMessage(99, told, { timeoutMs: 20_000 });
  expect((await status()).incidents[0]).toMatchObject({ subject: "safe mode" });
  expect(await bot.stop()).toBe(0);
});
