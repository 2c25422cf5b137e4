/**
 * Scene: one bot process beside one sandbox process, in a directory of their own, for one measurement.
 *
 * The bot has its production settings, but for two that would hide what is measured: Telegram's limits,
 * which the sandbox does not keep either, and the shop's limit for one person's requests.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SandboxClient, sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox } from "../../sandbox/ensure.ts";
import { BotProcess, eventually, nowMs, pause } from "../drill/bot-process.ts";
import { productionProfile } from "../drill/production-profile.ts";
import type { Reply } from "./statistics.ts";

export interface SceneOptions {
  /** The program. Default: `bot/start.ts`. */
  readonly file?: string;
  /** More of the bot's variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the sandbox keeps Telegram's limits. Default `off`. */
  readonly flood?: "off" | "strict";
  /** What happens in the sandbox before the bot starts. Default: nothing. */
  readonly prepare?: (sandbox: SandboxClient) => Promise<void>;
  /** Resolves when the bot that polls is ready to be measured. Default: it is ready at once. */
  readonly ready?: (bot: BotProcess) => Promise<unknown>;
}

/** How long a measurement takes. */
export interface Span {
  /** Seconds before it counts, and seconds that count. */
  readonly warmSeconds: number;
  readonly seconds: number;
}

export interface Scene {
  readonly sandbox: SandboxClient;
  readonly bot: BotProcess;
  /** Another process on the same data, with other options; it is not started. */
  successor(options: SceneOptions): BotProcess;
  /** Milliseconds from the start of the process until its first poll reached the sandbox. */
  readonly firstPollAfterMs: number;
}

const benchEnv = { FLOOD_LIMITS_ENABLED: "false", RAPID_REQUESTS_MAX: "1000000" };
const firstPollMsMax = 300_000;
/** Longer than any back-off of the bots, so that silence means that nothing will come. */
const silenceMsMax = 60_000;
const pageSize = 5_000;
const askEveryMs = 250;

/** What has to be closed when the bench is interrupted. */
const open = new Set<() => Promise<void>>();

/** Ends every process and removes every directory of the scenes that are open. */
export async function closeScenes(): Promise<void> {
  await Promise.all([...open].map((close) => close()));
}

/** Starts both processes, waits until the bot polls, plays, and cleans up. */
export async function withScene<T>(
  options: SceneOptions,
  play: (scene: Scene) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "bot-bench-"));
  const limits = ["--flood", options.flood ?? "off", "--no-pacing"];
  const started = await ensureSandbox({ port: 0, arguments: limits });
  const processes: BotProcess[] = [];
  const create = ({ env, file }: SceneOptions) => {
    const bot = new BotProcess({
      directory,
      apiRoot: started.url,
      token: started.token,
      env: { ...productionProfile, ...benchEnv, ...env },
      sabotaged: false,
      ...(file !== undefined && { file }),
    });
    processes.push(bot);
    return bot;
  };
  const close = async () => {
    open.delete(close);
    await Promise.all(processes.map((bot) => bot.kill()));
    await started.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  open.add(close);
  try {
    const sandbox = sandboxClient(started.url);
    await options.prepare?.(sandbox);
    const bot = create(options);
    const startedAtMs = nowMs();
    bot.start();
    const firstPollAtMs = await firstPoll(sandbox, bot);
    const firstPollAfterMs = firstPollAtMs - startedAtMs;
    await options.ready?.(bot);
    return await play({ sandbox, bot, firstPollAfterMs, successor: create });
  } finally {
    await close();
  }
}

async function firstPoll(sandbox: SandboxClient, bot: BotProcess): Promise<number> {
  const find = async () => {
    if (!bot.running) throw new Error(`the bot ended: ${bot.output.slice(-2_000)}`);
    const [poll] = await sandbox.journal({ method: "getUpdates", limit: 1 });
    return poll;
  };
  const { arrivedAtMs } = await eventually("the first poll", find, firstPollMsMax);
  // What people write must not come before the bot waits for it.
  await eventually("the bot waits for updates", async () => (await sandbox.queue()).waiting);
  return arrivedAtMs;
}

/** Makes these people known to the sandbox, as people who have written to the bot; nothing is left to fetch. */
export async function invite(
  sandbox: SandboxClient,
  firstUserId: number,
  count: number,
): Promise<void> {
  await sandbox.feed({ count, users: count, firstUserId, text: "hello" });
  const { nextUpdateId } = await sandbox.queue();
  await sandbox.jumpUpdateId({ to: nextUpdateId, dropPending: true });
}

export interface SeenReplies {
  /** The last entry of the journal that was read. */
  readonly sequence: number;
  readonly replies: readonly Reply[];
}

export interface ReplyWait {
  /** The entry of the journal after which replies count. Default: from the beginning. */
  readonly after?: number;
  readonly count: number;
  /** Only messages to these chats are replies. Default: every message is one. */
  readonly isReply?: (chatId: number) => boolean;
  /** Returns what there is when this long no reply came. Default: a minute, after which it rejects. */
  readonly patienceMs?: number;
}

/** Waits for replies. Rejects when the bot ends before, or is silent. */
export async function waitForReplies(
  { bot, sandbox }: Pick<Scene, "bot" | "sandbox">,
  { after = 0, count, isReply = () => true, patienceMs }: ReplyWait,
): Promise<SeenReplies> {
  const replies: Reply[] = [];
  let sequence = after;
  let lastSeenAtMs = nowMs();
  while (replies.length < count) {
    const page = await sandbox.journal({ after: sequence, method: "sendMessage", limit: pageSize });
    for (const { chatId, executedAtMs, sequence: number } of page) {
      sequence = number;
      if (executedAtMs === null || chatId === null || !isReply(chatId)) continue;
      replies.push({ chatId, atMs: executedAtMs });
      lastSeenAtMs = nowMs();
    }
    const silentMs = nowMs() - lastSeenAtMs;
    if (patienceMs !== undefined && silentMs > patienceMs) break;
    if (!bot.running || silentMs > silenceMsMax) {
      const state = bot.running ? "is silent" : "ended";
      throw new Error(
        `the bot ${state} after ${replies.length} of ${count} replies: ${bot.output.slice(-2_000)}`,
      );
    }
    // Ask rarely, so that asking does not slow the sandbox down.
    if (page.length < pageSize) await pause(askEveryMs);
  }
  return { sequence, replies };
}
