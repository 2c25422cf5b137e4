/**
 * PM2 ecosystem: how PM2 keeps the bot running. `pm2 start ecosystem.config.js --env production`
 *
 * PM2 only starts the process again when it has ended; hangs, leaks and crash loops are the bot's own
 * business. Every setting was tried with PM2 7.0.4; a comment stands where its documentation misleads.
 * Plain JavaScript that runs on Node.js 18 too: it is loaded by whatever Node.js PM2 runs on.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "dotenv";

const root = dirname(fileURLToPath(import.meta.url));
// A version under releases/ shares .env, data and logs with the others: they lie above them all.
const home = basename(dirname(root)) === "releases" ? resolve(root, "../..") : root;

const file = join(home, ".env");
// Only these three are looked at; secrets go no further than this line.
const { LOG_DIR, MEMORY_LIMIT_MB, NODE_ENV } = existsSync(file) ? parse(readFileSync(file)) : {};

const memoryLimitDefaultsMb = { development: 1024, production: 512, test: 4096 };
// The bot restarts itself at its limit, in order; V8's and PM2's limits are only behind it.
const memoryLimitMb =
  Number(MEMORY_LIMIT_MB) || memoryLimitDefaultsMb[NODE_ENV || "development"] || 1024;

/**
 * What `npm start` gives to Node.js. Without the option of memory, V8 lets its space for new objects grow
 * so far that a burst takes 100 MB more, for no gain in speed (docs/performance.md). And what glibc's
 * allocator gets: it gives back what is free, which leaves a bot at rest with 10 MB less.
 */
const { allocator, scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const startOptions = scripts.start.split(" ").filter((word) => word.startsWith("--"));

/** The Node.js that came with `npm ci`, or the machine's own. */
function interpreter() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = process.platform === "win32" ? "node.exe" : "node";
  const pinned = join(root, "node_modules", `node-${platform}-${process.arch}`, "bin", name);
  return existsSync(pinned) ? pinned : "node";
}

export const apps = [
  {
    name: "telegram-bot",
    cwd: root,
    script: "bot/start.ts",
    interpreter: interpreter(),
    node_args: [...startOptions, `--max-old-space-size=${memoryLimitMb}`],
    // One process polls; a second one would only be refused (exit code 75).
    exec_mode: "fork",
    instances: 1,

    autorestart: true,
    // Pauses of 0.1 s, half as long again each time, at most 15 s, and forgotten after 30 s of life: a
    // single death must cost no button press, and the bot itself slows a row of them down.
    exp_backoff_restart_delay: 100,
    min_uptime: 1000,
    // PM2 must never give up: the bot's safe mode isolates the update that kills it.
    max_restarts: 1_000_000_000,
    // Wrong configuration needs a human. Never 0: PM2 reports a kill by a signal as exit code 0.
    stop_exit_codes: [78],
    // Longer than DRAIN_DEADLINE_MS, after which the bot ends by itself.
    kill_timeout: 15_000,
    // The bot stops its own sandbox, or lets it live through a restart.
    treekill: false,
    // Looked at every 30 s only.
    max_memory_restart: `${Math.ceil(memoryLimitMb * 1.5)}M`,
    // Only how long `pm2 start` waits for it; PM2 calls it online afterwards in any case.
    wait_ready: true,
    listen_timeout: 30_000,

    // The bot writes its own log; what is left is what it says when it cannot even start.
    out_file: "/dev/null",
    error_file: resolve(home, LOG_DIR || "logs", "pm2-error.log"),
    merge_logs: true,

    // Nothing of PM2's own inside our process.
    pmx: false,
    automation: false,
    vizion: false,

    // Every variable PM2 was started with would be written into dump.pm2 and shown by `pm2 jlist`, a
    // token among them: none gets through. (`true` filters nothing: PM2 asks for its length.)
    // Settings and secrets are read by the bot itself, from .env.
    filter_env: [""],
    env: { PATH: process.env["PATH"], ...allocator },
    env_development: { NODE_ENV: "development" },
    env_production: { NODE_ENV: "production" },
    env_test: { NODE_ENV: "test" },
  },
];
