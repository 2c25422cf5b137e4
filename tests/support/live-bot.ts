/**
 * Live bot: runs a real bot process against a real sandbox process, and cleans up after the test.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { BotProcess, type BotProcessOptions } from "../../lab/drill/bot-process.ts";
import { type SandboxClient, sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox } from "../../sandbox/ensure.ts";

export interface LiveBot {
  readonly bot: BotProcess;
  readonly sandbox: SandboxClient;
  /** The directory that holds `data` and `logs`. */
  readonly directory: string;
  /** The sandbox's address, for the operator's programs. */
  readonly apiRoot: string;
}

/** @param env The bot's variables; they override the test profile's defaults. */
export async function setupLiveBot(
  env: Readonly<Record<string, string>> = {},
  sandboxArguments: readonly string[] = [],
  more: Partial<BotProcessOptions> = {},
): Promise<LiveBot> {
  const directory = mkdtempSync(join(tmpdir(), "live-bot-"));
  const started = await ensureSandbox({ port: 0, arguments: sandboxArguments });
  const { token, url: apiRoot } = started;
  const bot = new BotProcess({ directory, apiRoot, token, env, ...more });
  onTestFinished(async () => {
    await bot.kill();
    await started.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return { apiRoot, bot, directory, sandbox: sandboxClient(apiRoot) };
}

/** Whether nothing is waiting or being worked on, according to the monitoring API. */
export async function isQueueEmpty(bot: BotProcess): Promise<boolean> {
  const url = await bot.monitoringUrl();
  const answer = await fetch(`${url}/api/message-queue`).catch(() => undefined);
  if (!answer?.ok) return false;
  const { data } = (await answer.json()) as {
    data: { pools: Record<string, { waiting: number; inHand: number }> };
  };
  return Object.values(data.pools).every((pool) => pool.waiting + pool.inHand === 0);
}
