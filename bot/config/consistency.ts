/**
 * Configuration rules: what must hold between settings, each with the sentence that explains it.
 */
import { isIPv4 } from "node:net";
import { resolve } from "node:path";
import type { Secret } from "../core/secret.ts";
import type { FaultToleranceConfig } from "./settings-table.ts";

export interface ConfigRule {
  /** The variables it joins; the first is the one to change. Skipped when one of them is wrong itself. */
  readonly variables: readonly [string, ...string[]];
  readonly expected: string;
  /** The reason, and what to do. */
  readonly hint: string;
  holds(config: FaultToleranceConfig): boolean;
}

/** PM2's `kill_timeout`, as ecosystem.config.js sets it. */
const killTimeoutMs = 15_000;

function usesTelegramItself({ apiRoot, token }: FaultToleranceConfig["telegram"]): boolean {
  return token !== undefined && new URL(apiRoot).hostname === "api.telegram.org";
}

export const configRules: readonly ConfigRule[] = [
  {
    variables: ["TELEGRAM_BOT_TOKEN", "NODE_ENV"],
    expected: "a token in production",
    hint: "Get one from @BotFather and put TELEGRAM_BOT_TOKEN=… into .env (chmod 600 .env).",
    holds: ({ lifecycle, telegram }) =>
      lifecycle.profile !== "production" || telegram.token !== undefined,
  },
  {
    variables: ["WEBHOOK_URL", "UPDATE_MODE"],
    expected: "an address with UPDATE_MODE=webhook",
    hint: "Set it to the address at which Telegram reaches the proxy in front of WEBHOOK_PORT.",
    holds: ({ intake }) => intake.mode !== "webhook" || intake.webhookUrl !== undefined,
  },
  {
    variables: ["WEBHOOK_URL", "TELEGRAM_API_ROOT", "TELEGRAM_BOT_TOKEN"],
    expected: "an https:// address with Telegram's own Bot API",
    hint: "Telegram delivers over TLS only; put a proxy with a certificate in front.",
    holds: ({ intake, telegram }) =>
      !intake.webhookUrl?.startsWith("http:") || !usesTelegramItself(telegram),
  },
  {
    variables: ["WEBHOOK_SECRET", "UPDATE_MODE"],
    expected: "a secret with UPDATE_MODE=webhook",
    hint: "Make one with: openssl rand -hex 32.",
    holds: ({ intake }) => intake.mode !== "webhook" || intake.webhookSecret !== undefined,
  },
  {
    variables: ["WEBHOOK_PORT", "MONITORING_PORT"],
    expected: "another port than MONITORING_PORT",
    hint: "Two servers cannot listen on one port.",
    holds: ({ intake, monitoring }) =>
      intake.webhookPort === 0 || intake.webhookPort !== monitoring.port,
  },
  {
    variables: ["MINI_APP_URL", "TELEGRAM_API_ROOT", "TELEGRAM_BOT_TOKEN"],
    expected: "an https:// address with Telegram's own Bot API",
    hint: "Telegram opens Mini Apps over TLS only; put a proxy with a certificate in front.",
    holds: ({ miniApp, telegram }) =>
      !miniApp.url?.startsWith("http:") || !usesTelegramItself(telegram),
  },
  {
    variables: ["MINI_APP_PORT", "MONITORING_PORT"],
    expected: "another port than MONITORING_PORT",
    hint: "Two servers cannot listen on one port.",
    holds: ({ miniApp, monitoring }) => miniApp.port === 0 || miniApp.port !== monitoring.port,
  },
  {
    variables: ["HANDLER_SLOW_MS", "HANDLER_TIMEOUT_MS"],
    expected: "less than HANDLER_TIMEOUT_MS",
    hint: "A handler must be reported as slow before it is given up.",
    holds: ({ queue }) => queue.handlerSlowMs < queue.handlerTimeoutMs,
  },
  {
    variables: ["TELEGRAM_CALL_DEADLINE_MS", "HANDLER_TIMEOUT_MS"],
    expected: "less than HANDLER_TIMEOUT_MS",
    hint: "A handler that waits for one call must not be given up before the call is.",
    holds: ({ queue, telegram }) => telegram.callDeadlineMs < queue.handlerTimeoutMs,
  },
  {
    variables: ["QUEUE_RETRY_INITIAL_MS", "QUEUE_RETRY_MAX_MS"],
    expected: "at most QUEUE_RETRY_MAX_MS",
    hint: "The waits between attempts grow from the first to the longest.",
    holds: ({ queue }) => queue.retryInitialMs <= queue.retryMaxMs,
  },
  {
    variables: ["QUEUE_LANE_LENGTH_MAX", "QUEUE_LENGTH_MAX"],
    expected: "at most QUEUE_LENGTH_MAX",
    hint: "One chat must not be allowed more than all chats together.",
    holds: ({ queue }) => queue.laneLengthMax <= queue.lengthMax,
  },
  {
    variables: ["DRAIN_DEADLINE_MS"],
    expected: `less than ${killTimeoutMs} ms`,
    hint: `PM2 kills the process ${killTimeoutMs} ms after it asked it to stop.`,
    holds: ({ lifecycle }) => lifecycle.drainDeadlineMs < killTimeoutMs,
  },
  {
    variables: ["FLOOD_LIMITS_ENABLED", "TELEGRAM_API_ROOT", "TELEGRAM_BOT_TOKEN"],
    expected: "true with Telegram's own Bot API",
    hint: "Without limits Telegram would refuse messages; set TELEGRAM_API_ROOT to a server without.",
    holds: ({ flood, telegram }) => flood.enabled || !usesTelegramItself(telegram),
  },
  {
    variables: ["ENCRYPTION_KEY_PREVIOUS", "ENCRYPTION_KEY"],
    expected: "nothing, unless ENCRYPTION_KEY is another key",
    hint: "To change the key set both for one start; afterwards remove ENCRYPTION_KEY_PREVIOUS.",
    holds: ({ storage: { encryptionKey, encryptionKeyPrevious } }) =>
      encryptionKeyPrevious === undefined ||
      (encryptionKey !== undefined && encryptionKey.reveal() !== encryptionKeyPrevious.reveal()),
  },
  {
    variables: ["MONITORING_HOST", "MONITORING_HOST_NAMES", "RESTART_TOKEN", "MONITORING_TOKEN"],
    expected: "a loopback address and no MONITORING_HOST_NAMES, or strong tokens",
    hint:
      "Anyone who reaches the API could guess a weak token: set RESTART_TOKEN to the output of " +
      "`openssl rand -hex 32`, or use an ssh tunnel: ssh -L 3001:127.0.0.1:3001 your-server.",
    holds: ({ monitoring }) => {
      const { host, hostNames = [], operateTokens = [], readToken } = monitoring;
      const all = readToken ? [...operateTokens, readToken] : operateTokens;
      const strong = operateTokens.length > 0 && all.every(isStrong);
      return strong || (isLoopback(host) && hostNames.length === 0);
    },
  },
  {
    variables: ["RESTART_TOKEN"],
    expected: "one token, or two separated by a comma",
    hint: "Two are enough while one replaces the other; remove the oldest.",
    holds: ({ monitoring: { operateTokens } }) =>
      operateTokens === undefined || operateTokens.length === 1 || operateTokens.length === 2,
  },
  {
    variables: ["MONITORING_TOKEN", "RESTART_TOKEN"],
    expected: "another token than RESTART_TOKEN",
    hint: "A token for reading must not allow changes.",
    holds: ({ monitoring: { operateTokens = [], readToken } }) =>
      !operateTokens.some((token) => token.reveal() === readToken?.reveal()),
  },
  {
    variables: ["SANDBOX_PORT", "MONITORING_PORT"],
    expected: "another port than MONITORING_PORT",
    hint: "Two servers cannot listen on one port.",
    holds: ({ monitoring, sandbox }) => sandbox.port === 0 || sandbox.port !== monitoring.port,
  },
  {
    variables: ["LOG_DIR", "DATA_DIR"],
    expected: "another directory than DATA_DIR",
    hint: "Old files are removed from the log directory, never from the data directory.",
    holds: ({ log, storage }) => resolve("/", log.directory) !== resolve("/", storage.directory),
  },
];

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** Whether the token is long, has many different characters and does not repeat itself. */
function isStrong(token: Secret): boolean {
  const text = token.reveal();
  const repeated = `${text}${text}`.indexOf(text, 1) < text.length;
  return text.length >= 32 && new Set(text).size >= 10 && !repeated;
}
