/** PM2: its list of processes, asked without starting anything. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Installation } from "./installation.ts";

/** The app's name in ecosystem.config.js. */
export const appName = "telegram-bot";

/** The part of PM2's record of an app that we read. Its environment is left out: it may hold secrets. */
export interface Pm2App {
  readonly pid: number;
  readonly status: string;
  readonly restarts: number;
  readonly startedAtEpochMs: number;
  readonly exitCode: number | undefined;
  readonly settings: Pm2Settings;
}

/** The settings we check, under PM2's names. */
export interface Pm2Settings {
  readonly stop_exit_codes?: unknown;
  readonly autorestart?: unknown;
  readonly max_restarts?: unknown;
  readonly kill_timeout?: unknown;
  readonly exec_mode?: unknown;
  readonly instances?: unknown;
  readonly watch?: unknown;
  readonly filter_env?: unknown;
}

/** `no-daemon`: PM2 does not run; `no-pm2`: it is not installed. */
export type Pm2State = "no-daemon" | "no-pm2" | readonly Pm2App[];

const answerMsMax = 15_000;

export async function askPm2(installation: Installation): Promise<Pm2State> {
  if (!(await isDaemonAlive(installation.pm2Home))) return "no-daemon";
  const program = findPm2(installation);
  if (program === undefined) return "no-pm2";
  const { stdout } = await promisify(execFile)(process.execPath, [program, "jlist"], {
    timeout: answerMsMax,
    maxBuffer: 16 * 2 ** 20,
    env: {
      PM2_HOME: installation.pm2Home,
      PM2_DISCRETE_MODE: "true",
      PM2_NO_INTERACTION: "true",
      PM2_DISABLE_VERSION_CHECK: "true",
    },
  });
  return parseList(stdout);
}

/** Every PM2 command starts a daemon when there is none, so PM2 is asked only when one runs. */
function isDaemonAlive(pm2Home: string): Promise<boolean> {
  // The process id is no proof: a dead process keeps it until its parent has collected it.
  const socket = connect(join(pm2Home, "rpc.sock"));
  return new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}

function findPm2({ home, packageDirectory }: Installation): string | undefined {
  return [join(home, "releases", "pm2"), packageDirectory, home]
    .map((directory) => join(directory, "node_modules", "pm2", "bin", "pm2"))
    .find((path) => existsSync(path));
}

/** @param text The list, perhaps after other lines of PM2. */
export function parseList(text: string): readonly Pm2App[] {
  const start = text.search(/\[(\{|\])/);
  const list = JSON.parse(start < 0 ? "[]" : text.slice(start)) as RawApp[];
  return list
    .filter(({ name }) => name === appName)
    .map(({ pid, pm2_env: env }) => ({
      pid,
      status: env.status,
      restarts: env.restart_time,
      startedAtEpochMs: env.pm_uptime,
      exitCode: env.exit_code,
      settings: env,
    }));
}

interface RawApp {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: Pm2Settings & {
    readonly status: string;
    readonly restart_time: number;
    readonly pm_uptime: number;
    readonly exit_code?: number;
  };
}
