/** Networks that fail in silence: the real bot behind a link that swallows bytes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { BotProcess, eventually, pause } from "../../lab/drill/bot-process.ts";
import { FaultProxy } from "../../lab/drill/fault-proxy.ts";
import { sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox } from "../../sandbox/ensure.ts";

async function setup(
  { onTestFinished }: TestContext,
  more: (realUrl: string) => Readonly<Record<string, string>> = () => ({}),
) {
  const directory = mkdtempSync(join(tmpdir(), "network-"));
  const started = await ensureSandbox({ port: 0 });
  const link = new FaultProxy(started.url);
  await link.start();
  const bot = new BotProcess({
    directory,
    apiRoot: link.url,
    token: started.token,
    env: {
      INTAKE_POLL_TIMEOUT_SECONDS: "50",
      // A silent link is given up after a few of these.
      TELEGRAM_CALL_DEADLINE_MS: "2000",
      ...more(started.url),
    },
  });
  onTestFinished(async () => {
    await bot.kill();
    await link.stop();
    await started.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const sandbox = sandboxClient(started.url);
  const greet = async (userId: number, timeoutMs = 20_000) => {
    await sandbox.write({ userId, text: "/start" });
    const hello = (message: { text?: string }) => message.text?.startsWith("Hello") ?? false;
    // A poll's own deadline would be a minute: it must not be waited for.
    await sandbox.waitForMessage(userId, hello, { timeoutMs });
  };
  const connections = async () => {
    const answer = await fetch(`${await bot.monitoringUrl()}/api/connections`);
    const { data } = (await answer.json()) as {
      data: { connections: Record<string, { state: string }>; pool: { route: number } };
    };
    return data;
  };
  return { bot, connections, greet, link };
}

test.concurrent("a link that falls silent under a long poll is noticed, and the bot is back soon after it", {
  timeout: 120_000,
}, async (context) => {
  const { bot, connections, greet, link } = await setup(context);
  bot.start();
  await greet(1);
  const cure = await link.add({ kind: "timeout", ms: 0 });
  const isDown = async () => {
    const { state } = (await connections()).connections["telegram-polling"] ?? {};
    return state === "down" || state === "reconnecting";
  };
  await eventually("the outage is noticed", isDown, 60_000);
  await pause(3_000);
  await cure();
  const backMs = performance.now();
  await greet(2);
  const tookS = (performance.now() - backMs) / 1000;
  console.log(`answered ${tookS.toFixed(1)} s after the link was back`);
  expect((await connections()).connections["telegram-polling"]?.state).toBe("connected");
  expect(await bot.stop()).toBe(0);
});

test.concurrent("when the first way to Telegram stays dead, the next one is taken", {
  timeout: 120_000,
}, async (context) => {
  const { bot, connections, greet, link } = await setup(context, (realUrl) => ({
    TELEGRAM_API_ROOT_FALLBACKS: realUrl,
  }));
  await link.add({ kind: "timeout", ms: 0 });
  bot.start();
  await greet(1, 90_000);
  expect((await connections()).pool.route).toBe(1);
  expect(await bot.stop()).toBe(0);
});
