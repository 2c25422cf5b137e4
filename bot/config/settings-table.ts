/**
 * Settings: the one table of everything that can be configured.
 *
 * The parser, the type of the configuration, `--help`, docs/configuration.md and `.env.example` all come
 * from these rows. A setting is here only when it has an effect.
 */
import {
  accessToken,
  botToken,
  choice,
  databaseAddress,
  decimalDuration,
  duration,
  encryptionKey,
  flag,
  hostName,
  integer,
  list,
  listenAddress,
  megabytes,
  miniAppAddress,
  optional,
  path,
  profiles,
  publicKey,
  type Setting,
  secretAddress,
  setting,
  shellCommand,
  webAddress,
  webhookSecret,
} from "./setting-kinds.ts";

const proxyExample = "http://user:password@proxy:8080";

export const settings = {
  telegram: {
    token: optional(botToken(), {
      variable: "TELEGRAM_BOT_TOKEN",
      alias: "BOT_TOKEN",
      absent: "the built-in sandbox is used; required in production",
      sentence: "The bot's token from @BotFather.",
    }),
    apiRoot: setting(webAddress(["https:", "http:"]), {
      variable: "TELEGRAM_API_ROOT",
      default: "https://api.telegram.org",
      sentence: "Address of the Bot API server; a path prefix is kept.",
    }),
    callDeadlineMs: setting(duration(100, 120_000, "ms"), {
      variable: "TELEGRAM_CALL_DEADLINE_MS",
      default: 15_000,
      sentence: "Longest time one call to Telegram may take.",
    }),
    httpsProxy: optional(secretAddress(proxyExample), {
      variable: "HTTPS_PROXY",
      absent: "Telegram is called directly",
      sentence: "Proxy through which Telegram is called.",
    }),
    apiRootFallbacks: optional(list(webAddress(["https:", "http:"])), {
      variable: "TELEGRAM_API_ROOT_FALLBACKS",
      absent: "there are no others",
      sentence: "Other Bot API servers, tried in turn when the first cannot be reached.",
    }),
    httpsProxyFallbacks: optional(list(secretAddress(proxyExample)), {
      variable: "HTTPS_PROXY_FALLBACKS",
      absent: "there are no others",
      sentence: "Other proxies, tried in turn when Telegram cannot be reached.",
    }),
  },
  intake: {
    mode: setting(choice(["polling", "webhook"]), {
      variable: "UPDATE_MODE",
      default: "polling",
      sentence:
        "How updates come: the bot asks Telegram for them, or Telegram sends them to WEBHOOK_URL.",
    }),
    webhookUrl: optional(webAddress(["https:", "http:"]), {
      variable: "WEBHOOK_URL",
      absent: "needed with UPDATE_MODE=webhook",
      sentence: "Public address of the webhook: a proxy with TLS in front of WEBHOOK_PORT.",
    }),
    webhookSecret: optional(webhookSecret(), {
      variable: "WEBHOOK_SECRET",
      absent: "needed with UPDATE_MODE=webhook",
      sentence: "Secret that Telegram sends with every update; requests without it are refused.",
    }),
    webhookHost: setting(listenAddress(), {
      variable: "WEBHOOK_HOST",
      default: "127.0.0.1",
      sentence: "Address on which the webhook listens.",
    }),
    webhookPort: setting(integer(0, 65_535), {
      variable: "WEBHOOK_PORT",
      default: { development: 8443, production: 8443, test: 0 },
      sentence: "Port on which the webhook listens; 0 takes a free one.",
    }),
    pollTimeoutSeconds: setting(integer(1, 50, "s"), {
      variable: "INTAKE_POLL_TIMEOUT_SECONDS",
      default: { development: 30, production: 30, test: 1 },
      sentence: "How long Telegram holds a poll open while there is nothing new.",
    }),
  },
  miniApp: {
    url: optional(miniAppAddress(), {
      variable: "MINI_APP_URL",
      absent: "none is served, except to the built-in sandbox, at MINI_APP_PORT of this machine",
      sentence:
        "Public address of the Mini App: a proxy with TLS in front of MINI_APP_PORT, or of the path /app/ of the webhook.",
    }),
    host: setting(listenAddress(), {
      variable: "MINI_APP_HOST",
      default: "127.0.0.1",
      sentence: "Address on which the Mini App listens; with UPDATE_MODE=webhook the webhook's.",
    }),
    port: setting(integer(0, 65_535), {
      variable: "MINI_APP_PORT",
      default: { development: 3003, production: 3003, test: 0 },
      sentence:
        "Port on which the Mini App listens, 0 takes a free one; with UPDATE_MODE=webhook the webhook's.",
    }),
    ageMaxMs: setting(duration(1, 1_440, "minutes"), {
      variable: "MINI_APP_AGE_MAX_MINUTES",
      default: 60,
      sentence: "How long an opened Mini App may ask and act before it has to be opened again.",
    }),
    publicKeys: setting(list(publicKey()), {
      variable: "MINI_APP_PUBLIC_KEYS",
      default: "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d",
      sentence:
        "Keys with which Telegram signs for third parties, used where there is no hash; the default is Telegram's own.",
    }),
  },
  queue: {
    concurrency: setting(integer(1, 100), {
      variable: "QUEUE_CONCURRENCY",
      default: 10,
      sentence:
        "Messages worked on at a time, in each pool of workers; a fifth more where they are urgent, as button presses are.",
    }),
    attemptsMax: setting(integer(1, 20), {
      variable: "QUEUE_ATTEMPTS_MAX",
      default: 5,
      sentence: "Attempts before a message becomes a dead letter.",
    }),
    lengthMax: setting(integer(1, 1_000_000), {
      variable: "QUEUE_LENGTH_MAX",
      default: 10_000,
      sentence: "Messages that may wait before Telegram is no longer asked for more.",
    }),
    laneLengthMax: setting(integer(1, 100_000), {
      variable: "QUEUE_LANE_LENGTH_MAX",
      default: 1_000,
      sentence: "Messages of one chat that may wait; any more become dead letters.",
    }),
    retryInitialMs: setting(duration(1, 60_000, "ms"), {
      variable: "QUEUE_RETRY_INITIAL_MS",
      default: { development: 1_000, production: 1_000, test: 10 },
      sentence: "Longest wait before the second attempt; it doubles from attempt to attempt.",
    }),
    retryMaxMs: setting(duration(1, 3_600_000, "ms"), {
      variable: "QUEUE_RETRY_MAX_MS",
      default: { development: 8_000, production: 8_000, test: 80 },
      sentence: "Longest wait before any attempt.",
    }),
    handlerTimeoutMs: setting(duration(100, 3_600_000, "ms"), {
      variable: "HANDLER_TIMEOUT_MS",
      default: 600_000,
      sentence: "After this time a handler is given up and its message is tried again.",
    }),
    handlerSlowMs: setting(duration(10, 600_000, "ms"), {
      variable: "HANDLER_SLOW_MS",
      default: 5_000,
      sentence: "After this time a handler is reported and lends its slot to others.",
    }),
    deadLettersKeepMs: setting(duration(1, 3_650, "days"), {
      variable: "DEAD_LETTERS_KEEP_DAYS",
      default: 30,
      sentence: "How long messages that were given up are kept.",
    }),
    referencesKeepMs: setting(duration(1, 3_650, "days"), {
      variable: "MESSAGE_IDS_KEEP_DAYS",
      default: 30,
      sentence: "How long the message_id of a recorded reply can be passed to later calls.",
    }),
  },
  alerts: {
    adminIds: optional(list(integer(1, 2 ** 52)), {
      variable: "ADMIN_IDS",
      absent: "no one is notified",
      sentence: "Telegram ids of the administrators: they hear of incidents, and may use /admin.",
    }),
    webhookUrl: optional(secretAddress(), {
      variable: "ALERT_WEBHOOK_URL",
      absent: "incidents go to Telegram only",
      sentence: "Address to which incidents are posted as JSON while Telegram cannot be reached.",
    }),
    heartbeatUrl: optional(secretAddress(), {
      variable: "HEARTBEAT_URL",
      absent: "no one outside notices when the machine is gone",
      sentence: "Address that is called every minute while the bot is not unhealthy.",
    }),
  },
  rapidRequests: {
    requestsMax: setting(integer(1, 1_000_000), {
      variable: "RAPID_REQUESTS_MAX",
      default: { development: 30, production: 30, test: 1_000_000 },
      sentence: "Requests one person may make in the window before being told to slow down.",
    }),
    windowMs: setting(duration(1, 3_600, "seconds"), {
      variable: "RAPID_REQUESTS_SECONDS",
      default: 10,
      sentence: "Length of the window for one person's requests.",
    }),
  },
  flood: {
    enabled: setting(flag(), {
      variable: "FLOOD_LIMITS_ENABLED",
      default: true,
      sentence: "Whether sending keeps Telegram's limits; false only for a Bot API without limits.",
    }),
    chatBurst: setting(integer(1, 20), {
      variable: "FLOOD_CHAT_BURST",
      default: 1,
      sentence: "Messages one chat may get at once; the average stays one a second.",
    }),
    groupPerMinute: setting(integer(1, 20), {
      variable: "FLOOD_GROUP_PER_MINUTE",
      default: 20,
      sentence: "Messages a group or channel may get within a minute.",
    }),
    totalPerSecond: setting(integer(1, 1_000), {
      variable: "FLOOD_TOTAL_PER_SECOND",
      default: 30,
      sentence:
        "Messages a second to all chats together; more than 30 needs Telegram's permission.",
    }),
    waitMaxMs: setting(duration(1, 86_400, "seconds"), {
      variable: "RATE_LIMIT_WAIT_MAX_SECONDS",
      default: 300,
      sentence:
        "How long a message may wait when Telegram limits its chat; then it becomes a dead letter and the next one goes on.",
    }),
  },
  storage: {
    directory: setting(path(), {
      variable: "DATA_DIR",
      default: "data",
      sentence: "Directory of the database, made when missing.",
    }),
    databaseUrl: optional(databaseAddress(), {
      variable: "DATABASE_URL",
      absent: "SQLite, in DATA_DIR",
      sentence: "PostgreSQL database that holds the data in the place of SQLite.",
    }),
    databaseReplicated: setting(choice(["none", "sync", "storage"]), {
      variable: "DATABASE_REPLICATED",
      default: "none",
      sentence:
        "Whether a commit on PostgreSQL survives the loss of its machine: sync (a synchronous standby, which is checked), storage (the provider replicates the disk) or none.",
    }),
    dedupeKeepMs: setting(duration(25, 167, "hours"), {
      variable: "DEDUPE_KEEP_HOURS",
      default: 72,
      sentence: "How long an update is remembered, so that it is never handled twice.",
    }),
    sessionsKeepMs: setting(duration(1, 3_650, "days"), {
      variable: "SESSIONS_KEEP_DAYS",
      default: 365,
      sentence: "How long a session is kept after the last update that used it.",
    }),
    encryptionKey: optional(encryptionKey(), {
      variable: "ENCRYPTION_KEY",
      absent: "DATA_DIR/encryption.key is made and used",
      sentence: "Key that encrypts personal data in the database; without it they cannot be read.",
    }),
    encryptionKeyPrevious: optional(encryptionKey(), {
      variable: "ENCRYPTION_KEY_PREVIOUS",
      absent: "the key is not being changed",
      sentence: "The previous key; set it for one start when ENCRYPTION_KEY changes.",
    }),
    filesBytesMax: setting(megabytes(50, 1_048_576), {
      variable: "FILES_MAX_MB",
      default: 1_024,
      sentence: "Disk space for files that wait to be sent.",
    }),
    backupsKept: setting(integer(1, 1_000), {
      variable: "BACKUPS_KEPT",
      default: 7,
      sentence: "How many backups stay in DATA_DIR; the oldest are removed.",
    }),
    backupEveryMs: setting(decimalDuration(0, 8_760, "hours"), {
      variable: "BACKUP_EVERY_HOURS",
      default: { development: 0, production: 24, test: 0 },
      sentence: "Hours between the backups that the bot makes by itself; 0: none.",
    }),
    backupCommand: optional(shellCommand(), {
      variable: "BACKUP_COMMAND",
      absent: "backups stay on this machine only",
      sentence:
        "Shell command that carries each backup away; its path is in the variable BACKUP_FILE.",
    }),
  },
  log: {
    directory: setting(path(), {
      variable: "LOG_DIR",
      default: "logs",
      sentence: "Directory of the log files, made when missing.",
    }),
    level: setting(choice(["error", "warn", "info", "debug"]), {
      variable: "LOG_LEVEL",
      default: { development: "debug", production: "info", test: "warn" },
      sentence: "The least important lines that are still logged.",
    }),
    keepDays: setting(integer(1, 365, "days"), {
      variable: "LOG_KEEP_DAYS",
      default: 14,
      sentence: "How long log files are kept.",
    }),
  },
  monitoring: {
    host: setting(listenAddress(), {
      variable: "MONITORING_HOST",
      default: "127.0.0.1",
      sentence:
        "Address on which the monitoring API listens; one that others can reach needs a strong RESTART_TOKEN.",
    }),
    port: setting(integer(0, 65_535), {
      variable: "MONITORING_PORT",
      default: { development: 3001, production: 3001, test: 0 },
      sentence: "Port of the monitoring API; 0 takes a free one.",
    }),
    hostNames: optional(list(hostName()), {
      variable: "MONITORING_HOST_NAMES",
      absent: "reachable only from this machine, or by IP address",
      sentence:
        "Host names under which others reach the monitoring API, also through a proxy; add :port where it differs.",
    }),
    operateTokens: optional(list(accessToken()), {
      variable: "RESTART_TOKEN",
      absent: "the bot makes one, in DATA_DIR/restart-token",
      sentence: "Token for changes through the monitoring API; two while one replaces the other.",
    }),
    readToken: optional(accessToken(), {
      variable: "MONITORING_TOKEN",
      absent: "RESTART_TOKEN serves for reading too",
      sentence: "Token for reading the monitoring API, where reading needs one.",
    }),
  },
  process: {
    memoryLimitBytes: setting(megabytes(64, 65_536), {
      variable: "MEMORY_LIMIT_MB",
      default: { development: 1_024, production: 512, test: 4_096 },
      sentence: "Memory above which the process restarts itself.",
    }),
    cpuLimitPercent: setting(integer(10, 1_000, "%"), {
      variable: "CPU_LIMIT_PERCENT",
      default: 80,
      sentence: "Use of one processor above which the process restarts itself if it lasts.",
    }),
    cpuSustainedMs: setting(duration(10, 3_600, "seconds"), {
      variable: "CPU_SUSTAINED_SECONDS",
      default: { development: 3_600, production: 300, test: 3_600 },
      sentence: "How long the processor may stay above its limit.",
    }),
    plannedRestartMs: setting(duration(0, 365, "days"), {
      variable: "PLANNED_RESTART_DAYS",
      default: { development: 0, production: 7, test: 0 },
      sentence: "Age at which the process restarts itself in a quiet moment; 0: never.",
    }),
  },
  sandbox: {
    port: setting(integer(0, 65_535), {
      variable: "SANDBOX_PORT",
      default: { development: 3002, production: 3002, test: 0 },
      sentence: "Port of the built-in sandbox, used when there is no token; 0 takes a free one.",
    }),
  },
  lifecycle: {
    profile: setting(choice(profiles), {
      variable: "NODE_ENV",
      default: "development",
      sentence: "Which set of defaults is used; production refuses to start without a token.",
    }),
    module: optional(path(), {
      variable: "BOT_MODULE",
      absent: "the shop",
      sentence: "File of the bot that runs: its default export is made by defineBot.",
    }),
    safeModeDeaths: setting(integer(2, 1_000_000), {
      variable: "SAFE_MODE_DEATHS",
      default: { development: 3, production: 3, test: 1_000_000 },
      sentence:
        "Crashes in a row, each soon after the start, after which the bot works one update at a time (safe mode).",
    }),
    hangKillMs: setting(duration(1_000, 120_000, "ms"), {
      variable: "HANG_KILL_MS",
      default: 15_000,
      sentence: "A process that hangs is killed after this time.",
    }),
    drainDeadlineMs: setting(duration(100, 60_000, "ms"), {
      variable: "DRAIN_DEADLINE_MS",
      default: { development: 10_000, production: 10_000, test: 2_000 },
      sentence: "How long messages that are being worked on may take to finish at a stop.",
    }),
  },
};

/** Settings by the name of their value. */
export type SettingRows = Readonly<Record<string, Setting<unknown>>>;

/** The values that rows describe. */
export type ValuesOf<Rows extends SettingRows> = {
  readonly [Name in keyof Rows]: Rows[Name] extends Setting<infer T> ? T : never;
};

/** The settings of a module; they are read, checked and documented like the engine's own. */
export interface ModuleSettings<Rows extends SettingRows = SettingRows> {
  /** Heading in `--help`, `.env.example` and docs/configuration.md. */
  readonly title: string;
  readonly rows: Rows;
  /** An unknown variable that begins like this is a mistake. */
  readonly prefixes?: readonly string[];
}

type Settings = typeof settings;

/** The configuration: a part of the bot, then its setting; frozen all the way down. */
export type FaultToleranceConfig = {
  readonly [Part in keyof Settings]: ValuesOf<Settings[Part]>;
} & {
  /** Values of the module's own rows. */
  readonly module: Readonly<Record<string, unknown>>;
};

/** A row with the place of its value in the configuration. */
export interface PlacedSetting {
  readonly part: keyof FaultToleranceConfig;
  readonly name: string;
  readonly setting: Setting<unknown>;
}

/** The table, flat, in its order; the module's rows come last. */
export function settingRows(module?: ModuleSettings): readonly PlacedSetting[] {
  const parts: readonly (readonly [string, SettingRows])[] = [
    ...Object.entries(settings),
    ["module", module?.rows ?? {}],
  ];
  return parts.flatMap(([part, inPart]) =>
    Object.entries(inPart).map(([name, setting]) => ({
      part: part as keyof FaultToleranceConfig,
      name,
      setting,
    })),
  );
}
