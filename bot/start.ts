/**
 * Start: the executable. Environment, configuration, launch, exit code. `--check` starts everything,
 * takes nothing in, and ends.
 *
 * Exit codes: 0 asked to stop; 70 a defect; 74 storage cannot be trusted; 75 try again later (another
 * process holds the data or the port, or the drain ran out of time); 78 the configuration is wrong.
 * Source: BSD sysexits.
 */
import { statSync, truncateSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { readEnvFile, rootDirectory } from "./config/env-file.ts";
import type { FaultToleranceConfig } from "./config/fault-tolerance-config.ts";
import type { SecretsFile } from "./config/secrets-file.ts";
import { systemClock } from "./core/clock.ts";
import { describeError, exitCode, exitCodeOf } from "./core/exit-code.ts";
import type { Running } from "./enhanced-launcher.ts";
import type { BotModule } from "./kit/module.ts";
import type { RestartReason } from "./utils/process-monitor.ts";

const errorFileBytesMax = 2 ** 20;
const compileCacheAfterMs = 1_000;

// Heavier imports come later: an older Node.js would fail on them with an error that explains nothing.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  say(`This bot needs Node.js 22.18 or newer; this is ${process.version}. Install Node.js 24.`);
  process.exit(exitCode.configuration);
}

// Node.js opens its inspector at SIGUSR1, where every user of the machine could run code as the bot, and
// dies of SIGUSR2. A listener prevents both, also where no --disable-sigusr1 was given.
for (const signal of ["SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => {});

// Does nothing where the options of `npm start` have loaded it already.
await import(new URL("./core/compile-cache.js", import.meta.url).href);

// npm runs a program in the package's directory; INIT_CWD says where it was called.
const calledFrom = process.env["INIT_CWD"] ?? process.cwd();
// `npm start` and `cd bot && node start.ts` mean the same .env, data and logs.
process.chdir(rootDirectory);
keepErrorFileSmall(process.env["pm_err_log_path"]);
await start().catch((error: unknown) => end(error));

async function start(): Promise<void> {
  const { parseConfig } = await import("./config/fault-tolerance-config.ts");
  const { helpText } = await import("./config/settings-text.ts");
  const secretsFile = readEnvFile();
  const botModule = await findModule(secretsFile);
  if (process.argv.includes("--help")) {
    process.stdout.write(helpText(botModule.settings));
    return;
  }
  const { commandEnvironment } = await import("./config/command-environment.ts");
  const config = parseConfig(process.env, secretsFile, botModule.settings);
  const { defectReason, launch } = await import("./enhanced-launcher.ts");
  const telegram = await findTelegram(config);
  const launched = Promise.withResolvers<Running>();
  const checking = process.argv.includes("--check");
  const terminal = process.stdout.isTTY && config.lifecycle.profile === "development" && !checking;
  // Warnings of the start come beneath the screen.
  if (terminal) process.stdout.cork();
  const running = await launch(config, {
    ...telegram,
    module: botModule,
    environment: commandEnvironment(process.env, secretsFile, botModule.settings),
    held: checking,
    onEvent: (event) => {
      if (event.type === "encryption-key.created") announceKey(event.file);
    },
    onFatal: end,
    onRestart: (reason) => void launched.promise.then((bot) => restart(bot, reason)),
  });
  if (checking) return endCheck(running, telegram.stopSandbox);
  launched.resolve(running);
  // Before anybody is told that the bot is up: whoever reads it may press Ctrl+C at once.
  watchSignals(running, telegram.stopSandbox);
  watchDefects(running, defectReason);
  if (terminal) await showStartScreen(running, telegram, config);
  else announce(running, telegram.chatPageUrl);
  // PM2's `wait_ready`.
  process.send?.("ready");
  // Node.js itself writes it only at a clean end. It takes 40 ms, which belong to the first updates.
  systemClock.timer(compileCacheAfterMs, flushCompileCache);
  // Otherwise V8 lets the heap of a busy process grow to several times what lives in it: a burst took 85 MB
  // more (docs/performance.md). Not from the beginning, because a start would collect all the time.
  setFlagsFromString("--heap-growing-percent=50");
}

/** The bot that is named after `--bot`, else in `BOT_MODULE`, else the shop. */
async function findModule(secretsFile: SecretsFile | undefined): Promise<BotModule> {
  const { moduleFromArguments, moduleFromSettings } = await import("./config/module-choice.ts");
  const { chooseModule } = await import("./index.ts");
  return chooseModule(
    moduleFromArguments(process.argv.slice(2), calledFrom) ??
      moduleFromSettings(process.env, secretsFile, rootDirectory),
  );
}

/** PM2 appends what we say on stderr to this file for ever; the last starts are what matters. */
function keepErrorFileSmall(path: string | undefined): void {
  try {
    if (path && statSync(path).size > errorFileBytesMax) truncateSync(path);
  } catch {
    // It is not there, or not ours to change: no reason not to start.
  }
}

/** Telegram, or without a token the built-in sandbox in a process of its own. */
async function findTelegram({ sandbox, telegram }: FaultToleranceConfig) {
  if (telegram.token) {
    return { token: telegram.token, apiRoot: telegram.apiRoot, stopSandbox: async () => {} };
  }
  const { ensureSandbox } = await import("../sandbox/ensure.ts");
  const { Secret } = await import("./core/secret.ts");
  const { stop, token, url } = await ensureSandbox({ port: sandbox.port });
  return { token: new Secret(token), apiRoot: url, chatPageUrl: url, stopSandbox: stop };
}

/** `--check`: everything could be opened, brought up to date and started; nothing was taken or sent. */
async function endCheck(running: Running, stopSandbox: () => Promise<void>): Promise<never> {
  await running.stop("check");
  await stopSandbox();
  process.exit(exitCode.stopped);
}

function announce(
  { monitoringUrl, restartTokenFile }: Running,
  chatPageUrl: string | undefined,
): void {
  if (chatPageUrl !== undefined) {
    say(`No token is set, so the bot talks to the built-in sandbox. Chat with it: ${chatPageUrl}/`);
  }
  say(`Dashboard: ${monitoringUrl}/`);
  if (restartTokenFile !== undefined)
    say(`What changes something needs the token in ${restartTokenFile}`);
  say(`Health: ${monitoringUrl}/api/health`);
}

/** Shows the start screen to a person at a terminal, where the logger shows only warnings and errors. */
async function showStartScreen(
  running: Running,
  { apiRoot, chatPageUrl }: { readonly apiRoot: string; readonly chatPageUrl?: string },
  { lifecycle, log }: FaultToleranceConfig,
): Promise<void> {
  const { startScreen } = await import("./operator/start-screen.ts");
  const screen = startScreen(
    {
      profile: lifecycle.profile,
      botId: running.botId,
      telegramUrl: apiRoot,
      chatPageUrl,
      dashboardUrl: running.monitoringUrl,
      restartTokenFile: running.restartTokenFile,
      logDirectory: log.directory,
    },
    process.stdout.hasColors(),
  );
  process.stderr.write(screen);
  process.stdout.uncork();
}

function announceKey(file: string): void {
  say(`A key was made that encrypts personal data in the database: ${file}
Keep a copy of it apart from the data: without it they cannot be read, not even from a backup.`);
}

/** Ends cleanly, to be started again by PM2, systemd or the shell. */
async function restart(running: Running, { detail, type }: RestartReason): Promise<void> {
  await running.stop(`restart: ${type}`, detail).catch(end);
  process.exit(exitCode.stopped);
}

/**
 * First signal: drain and stop. A second SIGINT or SIGTERM: at once; everything unfinished is in the queue.
 * SIGHUP comes when the terminal or the ssh session closes, beside others.
 */
function watchSignals(running: Running, stopSandbox: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stopping && signal !== "SIGHUP") process.exit(exitCode.tryAgain);
      if (stopping) return;
      stopping = true;
      if (process.stdout.isTTY) say("\nStopping; a second Ctrl+C ends it at once.");
      void running
        .stop(signal)
        .then(async (left) => {
          await stopSandbox();
          process.exit(left.length === 0 ? exitCode.stopped : exitCode.tryAgain);
        })
        .catch(end);
    });
  }
}

/** A defect ends the process: its state is on disk, and the next process continues. */
function watchDefects(running: Running, defectReason: string): void {
  const onDefect = (thrown: unknown) => {
    running.publish({ type: "process.failed", thrown });
    void running.stop(defectReason).finally(() => process.exit(exitCode.defect));
  };
  process.on("uncaughtException", onDefect);
  process.on("unhandledRejection", (thrown) => {
    // A handler called Telegram after its end and was refused; its update is settled.
    const late = thrown instanceof Error && "code" in thrown && thrown.code === "ATTEMPT_OVER";
    if (late) running.publish({ type: "handler.called-late", thrown });
    else onDefect(thrown);
  });
}

/** Reports the error and its hint, and ends the process. */
function end(error: unknown): never {
  process.stdout.uncork();
  say(describeError(error));
  process.exit(exitCodeOf(error));
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
