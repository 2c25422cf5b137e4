/** Daemons: the real PM2 in the drill's supervisor's place, and its daemon killed with the bot. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nowMs } from "../bot-process.ts";
import type { Fault } from "../fault.ts";
import { pm2File } from "../tools.ts";

const answerMsMax = 60_000;

function pm2(directory: string, ...words: readonly string[]): void {
  const env = { PATH: process.env["PATH"], PM2_HOME: join(directory, "pm2") };
  const { status, stdout } = spawnSync("node", [pm2File, ...words], { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`pm2 ${words[0]} ended with ${status}: ${stdout.slice(-500)}`);
}

const pidIn = (path: string) => Number(readFileSync(path, "utf8"));

export const daemons: readonly Fault[] = [
  {
    name: "pm2-daemon-killed",
    title: "PM2's daemon is killed, and the bot with it; PM2 resurrects both",
    how: "real PM2 keeps the bot; kill -9 of both; pm2 resurrect, as at the machine's start",
    areas: ["process", "integration", "endToEnd"],
    groups: ["P10"],
    needs: ["pm2"],
    detection: { by: "nothing" },
    aim: "outage",
    setup: { prepare: (directory) => () => pm2(directory, "kill") },
    inject: async ({ answers, bot, directory, supervisor }) => {
      supervisor.hold();
      await bot.stop();
      const [interpreter, ...words] = bot.command;
      const script = words.at(-1);
      const app = { name: "drill", script, interpreter, node_args: words.slice(0, -1) };
      const file = join(directory, "pm2.json");
      writeFileSync(file, JSON.stringify({ apps: [{ ...app, env: bot.environment }] }));
      pm2(directory, "start", file);
      pm2(directory, "save");
      await answers.firstAfter(nowMs(), answerMsMax);
      process.kill(pidIn(join(directory, "pm2", "pm2.pid")), "SIGKILL");
      process.kill(pidIn(join(directory, "pm2", "pids", "drill-0.pid")), "SIGKILL");
      pm2(directory, "resurrect");
    },
    afterwards: async ({ directory, supervisor }) => {
      pm2(directory, "kill");
      supervisor.release();
    },
  },
];
