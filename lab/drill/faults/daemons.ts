/** Daemons: the real PM2 replaces the drill's supervisor, and its daemon is killed with the bot. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { nowMs } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";
import { pm2File } from "../tools.ts";

const answerMsMax = 60_000;

/** Runs PM2. It is asynchronous, because the drill's network runs in this process. */
async function pm2(directory: string, ...words: readonly string[]): Promise<void> {
  const env = { PATH: process.env["PATH"], PM2_HOME: join(directory, "pm2") };
  await promisify(execFile)("node", [pm2File, ...words], { env });
}

/** Ends the daemon, so that an interrupted scene leaves nothing that starts bots. */
function endDaemon(directory: string): void {
  for (const file of ["pm2.pid", "pids/drill-0.pid"]) {
    try {
      process.kill(pidIn(join(directory, "pm2", file)), "SIGKILL");
    } catch {
      // It has ended already, or never started.
    }
  }
}

const pidIn = (path: string) => Number(readFileSync(path, "utf8"));

export const daemons: readonly DrillFault[] = [
  {
    name: "pm2-daemon-killed",
    title: "PM2's daemon is killed, and the bot with it; PM2 resurrects both",
    how: "real PM2 keeps the bot; kill -9 of both; pm2 resurrect, as at the machine's start",
    areas: ["process", "integration", "endToEnd"],
    groups: ["T10"],
    needs: ["pm2"],
    detection: { by: "nothing" },
    aim: "outage",
    setup: { prepare: (directory) => () => endDaemon(directory) },
    inject: async ({ replies, bot, directory, supervisor }) => {
      supervisor.hold();
      await bot.stop();
      const [interpreter, ...words] = bot.command;
      const script = words.at(-1);
      const app = { name: "drill", script, interpreter, node_args: words.slice(0, -1) };
      const file = join(directory, "pm2.json");
      writeFileSync(file, JSON.stringify({ apps: [{ ...app, env: bot.environment }] }));
      await pm2(directory, "start", file);
      await pm2(directory, "save");
      await replies.firstAfter(nowMs(), answerMsMax);
      process.kill(pidIn(join(directory, "pm2", "pm2.pid")), "SIGKILL");
      process.kill(pidIn(join(directory, "pm2", "pids", "drill-0.pid")), "SIGKILL");
      await pm2(directory, "resurrect");
    },
    afterwards: async ({ directory, supervisor }) => {
      await pm2(directory, "kill");
      supervisor.release();
    },
  },
];
