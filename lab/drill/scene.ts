/**
 * Scene: a real bot, a sandbox, a network between them, and a crowd that uses the bot.
 *
 * Every fault gets a scene of its own, so that it is judged by its own effects.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SandboxClient, sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox } from "../../sandbox/ensure.ts";
import { seededRandom } from "../../sandbox/random.ts";
import { BotProcess } from "./bot-process.ts";
import { Crowd } from "./crowd.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { productionProfile } from "./production-profile.ts";
import { Replies } from "./replies.ts";
import { Supervisor } from "./supervisor.ts";

type Env = Readonly<Record<string, string>>;

/** The options of a scene in which a fault differs from the usual. */
export interface SceneSetup {
  /** Settings of the bot; they override the drill's. */
  readonly env?: Env | ((directory: string) => Env);
  readonly file?: string;
  readonly nodeOptions?: readonly string[];
  readonly writers?: number;
  readonly shoppers?: number;
  /** Milliseconds between two texts of one writer, on average. Default 2,000, within Telegram's limits. */
  readonly pauseMs?: number;
  /** Milliseconds between two callers. Default 150. */
  readonly callEveryMs?: number;
  /** Adds people before the bot starts. */
  readonly invite?: (sandbox: SandboxClient) => Promise<void>;
  /** Called before the bot starts for the first time. The returned function undoes it at the end. */
  readonly prepare?: (directory: string) => undefined | (() => void);
}

export interface Scene {
  readonly bot: BotProcess;
  readonly supervisor: Supervisor;
  readonly sandbox: SandboxClient;
  readonly network: FaultProxy;
  readonly crowd: Crowd;
  readonly replies: Replies;
  readonly random: () => number;
  /** Directory of `data` and `logs`. */
  readonly directory: string;
  /** Directory of `bot.db`. */
  readonly botDirectory: string;
  /** Ends all processes, and removes all files. */
  close(): Promise<void>;
}

export interface SceneDefaults {
  readonly seed: number;
  /** Settings of every bot of this drill, for example a short `HANG_KILL_MS`. */
  readonly env?: Env;
}

/** Sets the scene. Only the sandbox and the network run yet. */
export async function setScene(setup: SceneSetup, defaults: SceneDefaults): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), "drill-"));
  const undo = setup.prepare?.(directory);
  const started = await ensureSandbox({ port: 0 });
  const random = seededRandom(defaults.seed);
  const network = new FaultProxy(started.url, random);
  await network.start();
  const { file, nodeOptions } = setup;
  const env = {
    ...productionProfile,
    ...defaults.env,
    ...(typeof setup.env === "function" ? setup.env(directory) : setup.env),
  };
  const bot = new BotProcess({
    directory,
    apiRoot: network.url,
    token: started.token,
    env,
    ...(file && { file }),
    ...(nodeOptions && { nodeOptions }),
  });
  const sandbox = sandboxClient(started.url);
  const { callEveryMs = 150, pauseMs = 2_000, shoppers = 3, writers = 10 } = setup;
  const crowd = new Crowd({ sandbox, random, writers, shoppers, pauseMs, callEveryMs });
  await setup.invite?.(sandbox);
  const replies = new Replies(sandbox);
  const botDirectory = join(directory, "data", started.token.split(":")[0] ?? "");
  mkdirSync(botDirectory, { recursive: true });
  const supervisor = new Supervisor(bot, botDirectory);
  // An interrupted drill must leave nothing behind either.
  const { pid } = await sandbox.describe();
  const onExit = () => {
    for (const one of [bot.running ? bot.pid : undefined, pid]) if (one) endAtOnce(one);
    undo?.();
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("exit", onExit);
  return {
    bot,
    supervisor,
    sandbox,
    network,
    crowd,
    replies,
    random,
    directory,
    botDirectory,
    close: async () => {
      process.off("exit", onExit);
      crowd.leave();
      replies.stop();
      await supervisor.stop("SIGKILL");
      await network.stop();
      await started.stop();
      undo?.();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function endAtOnce(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
