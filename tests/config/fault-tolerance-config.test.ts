import { expect, test } from "vitest";
import { type Environment, parseConfig as parse } from "../../bot/config/fault-tolerance-config.ts";
import { integer, setting } from "../../bot/config/setting-kinds.ts";
import { type ModuleSettings, settingRows } from "../../bot/config/settings-table.ts";
import { ConfigurationError, type ConfigurationProblem } from "../../bot/core/errors.ts";
import { shopSettings } from "../../bot/shop/settings.ts";

const rows = settingRows(shopSettings);
const parseConfig = (env: Environment) => parse(env, undefined, shopSettings);

const token = `123456789:${"A".repeat(35)}`;

function problemsOf(env: Record<string, string | undefined>): readonly ConfigurationProblem[] {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

const variablesOf = (problems: readonly ConfigurationProblem[]) => problems.map((p) => p.variable);

test("with nothing set, the development profile applies and there is no token", () => {
  const config = parseConfig({});

  expect(config.telegram).toEqual({
    token: undefined,
    apiRoot: "https://api.telegram.org",
    callDeadlineMs: 15_000,
    httpsProxy: undefined,
    apiRootFallbacks: undefined,
    httpsProxyFallbacks: undefined,
  });
  expect(config.queue).toEqual({
    concurrency: 10,
    attemptsMax: 5,
    lengthMax: 10_000,
    laneLengthMax: 1_000,
    retryInitialMs: 1_000,
    retryMaxMs: 8_000,
    handlerTimeoutMs: 600_000,
    handlerSlowMs: 5_000,
    deadLettersKeepMs: 30 * 86_400_000,
    referencesKeepMs: 30 * 86_400_000,
  });
  expect(config.flood).toEqual({
    enabled: true,
    chatBurst: 1,
    groupPerMinute: 20,
    totalPerSecond: 30,
    waitMaxMs: 300_000,
  });
  expect(config.miniApp).toEqual({
    url: undefined,
    host: "127.0.0.1",
    port: 3003,
    ageMaxMs: 3_600_000,
    publicKeys: ["e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"],
  });
  expect(config.module).toEqual({
    catalogueFile: undefined,
    welcomeBalanceMinor: 5_000,
    cancelWindowMs: 86_400_000,
    topupAmounts: [50, 100, 250, 500],
    starValueMinor: 10,
    paymentSupport: undefined,
    termsUrl: undefined,
  });
  expect(config.storage).toEqual({
    directory: "data",
    databaseReplicated: "none",
    dedupeKeepMs: 72 * 3_600_000,
    sessionsKeepMs: 365 * 86_400_000,
    filesBytesMax: 1_024 * 2 ** 20,
    encryptionKey: undefined,
    encryptionKeyPrevious: undefined,
    backupsKept: 7,
    backupEveryMs: 0,
    backupCommand: undefined,
  });
  expect(config.log).toEqual({ directory: "logs", level: "debug", keepDays: 14 });
  expect(config.monitoring).toEqual({ host: "127.0.0.1", port: 3001 });
  expect(config.lifecycle).toEqual({
    profile: "development",
    safeModeDeaths: 3,
    hangKillMs: 15_000,
    drainDeadlineMs: 10_000,
  });
});

test("every profile's defaults are valid and keep the rules", () => {
  expect(parseConfig({ NODE_ENV: "development" }).log.level).toBe("debug");
  expect(parseConfig({ NODE_ENV: "test" }).monitoring.port).toBe(0);
  expect(parseConfig({ NODE_ENV: "production", BOT_TOKEN: token }).log.level).toBe("info");
});

test("the whole configuration is frozen", () => {
  const config = parseConfig({ TELEGRAM_BOT_TOKEN: token });

  expect(Object.isFrozen(config)).toBe(true);
  for (const part of Object.values(config)) expect(Object.isFrozen(part)).toBe(true);
  expect(Object.isFrozen(config.telegram.token)).toBe(true);
});

test.each(["TELEGRAM_BOT_TOKEN", "BOT_TOKEN"])("%s gives the token, as a secret", (variable) => {
  const config = parseConfig({ [variable]: ` ${token}\n` });

  expect(config.telegram.token?.reveal()).toBe(token);
  expect(JSON.stringify(config)).not.toContain("AAAA");
});

test("in production a missing token is a problem that says what to do", () => {
  expect(problemsOf({ NODE_ENV: "production" })).toMatchObject([
    {
      variable: "TELEGRAM_BOT_TOKEN",
      received: 'no TELEGRAM_BOT_TOKEN, NODE_ENV="production"',
      hint: expect.stringContaining(".env"),
    },
  ]);
});

test("two different tokens under the two names are a problem", () => {
  const other = `987654321:${"B".repeat(35)}`;
  const problems = problemsOf({ TELEGRAM_BOT_TOKEN: token, BOT_TOKEN: other });

  expect(variablesOf(problems)).toEqual(["BOT_TOKEN"]);
  expect(problemsOf({ TELEGRAM_BOT_TOKEN: token, BOT_TOKEN: token })).toEqual([]);
});

/** Values that a variable must refuse; `undefined` for those that take any text. */
const refused: Record<string, readonly string[] | undefined> = {
  TELEGRAM_BOT_TOKEN: ["your_bot_token", "123:short", `abc:${"A".repeat(35)}`, `${token} x`],
  TELEGRAM_API_ROOT: ["api.telegram.org", "ftp://a.example", "https://u:p@a.example", "http://a?b"],
  TELEGRAM_CALL_DEADLINE_MS: ["99", "120001", "15s"],
  HTTPS_PROXY: ["proxy:8080", "socks5://proxy:1080"],
  TELEGRAM_API_ROOT_FALLBACKS: ["https://a.example,b.example", "ftp://a.example"],
  HTTPS_PROXY_FALLBACKS: ["proxy:8080", "http://a:1, socks5://b:1"],
  MINI_APP_URL: ["http://app.example", "app.example", "http://127.app.example"],
  MINI_APP_HOST: ["app.example", "127.0.0.999"],
  MINI_APP_PORT: ["-1", "65536"],
  MINI_APP_AGE_MAX_MINUTES: ["0", "1441"],
  MINI_APP_PUBLIC_KEYS: ["telegram", "e7bf03a2", `${"ab".repeat(32)},x`],
  UPDATE_MODE: ["push"],
  WEBHOOK_URL: ["bot.example", "ftp://bot.example", "https://bot.example/?a=1"],
  WEBHOOK_SECRET: ["too-short", "with a space in the middle"],
  WEBHOOK_HOST: ["bot.example", "127.0.0.999"],
  WEBHOOK_PORT: ["-1", "65536"],
  INTAKE_POLL_TIMEOUT_SECONDS: ["0", "51", "-1"],
  QUEUE_CONCURRENCY: ["0", "101", "ten", "1.5", "1e1", "0x10"],
  QUEUE_ATTEMPTS_MAX: ["0", "21"],
  QUEUE_LENGTH_MAX: ["0", "1000001"],
  QUEUE_LANE_LENGTH_MAX: ["0", "100001"],
  QUEUE_RETRY_INITIAL_MS: ["0", "60001"],
  QUEUE_RETRY_MAX_MS: ["0", "3600001"],
  HANDLER_TIMEOUT_MS: ["99", "3600001", "Infinity"],
  HANDLER_SLOW_MS: ["9", "600001"],
  DEAD_LETTERS_KEEP_DAYS: ["0", "3651"],
  MESSAGE_IDS_KEEP_DAYS: ["0", "3651"],
  FILES_MAX_MB: ["49", "1048577"],
  ADMIN_IDS: ["me", "1,-2", "1 2"],
  ALERT_WEBHOOK_URL: ["alerts.example", "ftp://a"],
  DATABASE_REPLICATED: ["yes", "async"],
  DATABASE_URL: ["http://db.example.org/bot", "db.example.org"],
  HEARTBEAT_URL: ["hc-ping.example/1", "ftp://a"],
  RAPID_REQUESTS_MAX: ["0", "1000001"],
  RAPID_REQUESTS_SECONDS: ["0", "3601"],
  FLOOD_LIMITS_ENABLED: ["maybe", "2"],
  FLOOD_CHAT_BURST: ["0", "21"],
  FLOOD_GROUP_PER_MINUTE: ["0", "21"],
  FLOOD_TOTAL_PER_SECOND: ["0", "1001"],
  RATE_LIMIT_WAIT_MAX_SECONDS: ["0", "86401"],
  DATA_DIR: undefined,
  DEDUPE_KEEP_HOURS: ["24", "168"],
  SESSIONS_KEEP_DAYS: ["0", "3651"],
  ENCRYPTION_KEY: [
    "secret",
    "0".repeat(64),
    `${"A".repeat(43)}=`,
    "a phrase of forty-four characters, no key it is",
  ],
  ENCRYPTION_KEY_PREVIOUS: ["secret", "ab".repeat(32)],
  BACKUPS_KEPT: ["0", "1001"],
  BACKUP_EVERY_HOURS: ["-1", "8761", "0.0001", "1e1", "daily"],
  BACKUP_COMMAND: ["two\nlines"],
  LOG_DIR: undefined,
  LOG_LEVEL: ["verbose", "INFO"],
  LOG_KEEP_DAYS: ["0", "366"],
  MONITORING_HOST: ["example.org", "127.0.0.999", "http://127.0.0.1", "127.0.0.1:3001"],
  MONITORING_HOST_NAMES: ["http://bot.example", "bot.example/path", "bot example", "-"],
  MONITORING_TOKEN: ["seven77", "with a space in it", "töken-töken"],
  RESTART_TOKEN: ["seven77", "with a space in it", "good-enough,bad"],
  MONITORING_PORT: ["-1", "65536"],
  CATALOGUE_FILE: undefined,
  WELCOME_BALANCE: ["-1", "1000001", "1.005", "50,00"],
  ORDER_CANCEL_WINDOW_HOURS: ["-1", "8761"],
  TOPUP_AMOUNTS: ["-1", "100,many", "100001"],
  TOPUP_STAR_VALUE: ["0", "0.001", "10001"],
  SHOP_PAYMENT_SUPPORT: ["two\nlines", "x".repeat(201)],
  SHOP_TERMS_URL: ["http://shop.example", "shop.example"],
  MEMORY_LIMIT_MB: ["63", "65537"],
  CPU_LIMIT_PERCENT: ["9", "1001"],
  CPU_SUSTAINED_SECONDS: ["9", "3601"],
  PLANNED_RESTART_DAYS: ["-1", "366"],
  SANDBOX_PORT: ["-1", "65536"],
  NODE_ENV: ["staging"],
  DRAIN_DEADLINE_MS: ["99", "60001"],
  HANG_KILL_MS: ["999", "120001"],
  BOT_MODULE: undefined,
  SAFE_MODE_DEATHS: ["1", "1000001"],
};

test("every setting has its refused values in the table above", () => {
  expect(Object.keys(refused).sort()).toEqual(rows.map((row) => row.setting.variable).sort());
});

const refusals = Object.entries(refused).flatMap(([variable, values]) =>
  (values ?? ["nul\0byte"]).map((value) => [variable, value] as const),
);

test.each(refusals)("%s refuses %j and says what it expects", (variable, value) => {
  const problems = problemsOf({ [variable]: value });

  expect(variablesOf(problems)).toEqual([variable]);
  expect(problems[0]?.expected).not.toBe("");
  expect(problems[0]?.hint).not.toBe("");
});

test("all problems are reported at once", () => {
  const env = Object.fromEntries(refusals.map(([variable, value]) => [variable, value]));

  const reported = variablesOf(problemsOf({ ...env, QUEUE_SPEED: "1" }));

  expect(reported).toEqual([...rows.map((row) => row.setting.variable), "QUEUE_SPEED"]);
});

test("no problem shows a secret, wherever it was put", () => {
  const password = "hunter2hunter2";
  const problems = problemsOf({
    TELEGRAM_BOT_TOKEN: `${token}!`,
    MINI_APP_URL: `http://app.example/${token}`,
    HTTPS_PROXY: `socks5://user:${password}@proxy:1080`,
    TELEGRAM_API_ROOT: `https://user:${password}@api.example`,
    TELEGRAM_BOT_TOKN: token,
  });

  const shown = JSON.stringify([problems, new ConfigurationError(problems).message]);
  expect(problems).toHaveLength(5);
  expect(shown).not.toContain("AAAA");
  expect(shown).not.toContain(password);
});

test("a long wrong value is cut", () => {
  expect(problemsOf({ LOG_LEVEL: "x".repeat(5_000) })[0]?.received.length).toBeLessThan(100);
});

test.each([
  ["TELEGRAM_BOT_TOKN", "TELEGRAM_BOT_TOKEN"],
  ["TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"],
  ["QUEUE_CONCURENCY", "QUEUE_CONCURRENCY"],
  ["LOG_LEVL", "LOG_LEVEL"],
  ["MONITORNIG_PORT", "MONITORING_PORT"],
  ["WELCOME_BALNACE", "WELCOME_BALANCE"],
  ["FLOOD_LIMIT_ENABLED", "FLOOD_LIMITS_ENABLED"],
])("%s is unknown, and %s is suggested", (variable, meant) => {
  expect(problemsOf({ [variable]: "1" })).toMatchObject([
    { variable, hint: expect.stringContaining(`Did you mean ${meant}?`) },
  ]);
});

test.each(["PATH", "HTTP_PROXY", "https_proxy", "NODE_OPTIONS", "LOGNAME", "DATABASE_FOO"])(
  "%s is none of our business",
  (variable) => {
    expect(problemsOf({ [variable]: "1" })).toEqual([]);
  },
);

const strong = "3f9a1c5e7b2d4860f1e2d3c4b5a69788";
const host = "MONITORING_HOST";
const open = (env: Record<string, string>) => ({ MONITORING_HOST: "0.0.0.0", ...env });

test.each<[string, Record<string, string>, string]>([
  [
    "slow before given up",
    { HANDLER_SLOW_MS: "5000", HANDLER_TIMEOUT_MS: "5000", TELEGRAM_CALL_DEADLINE_MS: "1000" },
    "HANDLER_SLOW_MS",
  ],
  ["one call within a handler", { HANDLER_TIMEOUT_MS: "14000" }, "TELEGRAM_CALL_DEADLINE_MS"],
  ["retries grow", { QUEUE_RETRY_MAX_MS: "500" }, "QUEUE_RETRY_INITIAL_MS"],
  ["one chat, all chats", { QUEUE_LENGTH_MAX: "999" }, "QUEUE_LANE_LENGTH_MAX"],
  ["drained before PM2 kills", { DRAIN_DEADLINE_MS: "15000" }, "DRAIN_DEADLINE_MS"],
  [
    "limits at Telegram",
    { BOT_TOKEN: token, FLOOD_LIMITS_ENABLED: "false" },
    "FLOOD_LIMITS_ENABLED",
  ],
  [
    "a webhook has an address",
    { UPDATE_MODE: "webhook", WEBHOOK_SECRET: "s".repeat(16) },
    "WEBHOOK_URL",
  ],
  [
    "a webhook has a secret",
    { UPDATE_MODE: "webhook", WEBHOOK_URL: "https://bot.example" },
    "WEBHOOK_SECRET",
  ],
  [
    "Telegram itself delivers over TLS",
    { BOT_TOKEN: token, WEBHOOK_URL: "http://bot.example" },
    "WEBHOOK_URL",
  ],
  ["the webhook's port is its own", { WEBHOOK_PORT: "3001" }, "WEBHOOK_PORT"],
  [
    "Telegram itself opens Mini Apps over TLS",
    { BOT_TOKEN: token, MINI_APP_URL: "http://127.0.0.1:3003/app/" },
    "MINI_APP_URL",
  ],
  ["the Mini App's port is its own", { MINI_APP_PORT: "3001" }, "MINI_APP_PORT"],
  ["two ports", { SANDBOX_PORT: "3001" }, "SANDBOX_PORT"],
  ["reachable by others without a token", { MONITORING_HOST: "0.0.0.0" }, "MONITORING_HOST"],
  ["reachable by others with a short token", open({ RESTART_TOKEN: "a1b2c3d4e5f6g7h8" }), host],
  ["reachable by others with a dull token", open({ RESTART_TOKEN: "password".repeat(5) }), host],
  [
    "reachable by others with one weak token of two",
    open({ RESTART_TOKEN: `${strong},short123` }),
    host,
  ],
  [
    "reachable by others with a weak token to read",
    open({ RESTART_TOKEN: strong, MONITORING_TOKEN: "short123" }),
    host,
  ],
  ["reachable through a proxy without a token", { MONITORING_HOST_NAMES: "bot.example" }, host],
  ["three tokens", { RESTART_TOKEN: "token-one,token-two,token-three" }, "RESTART_TOKEN"],
  ["one token for both", { RESTART_TOKEN: strong, MONITORING_TOKEN: strong }, "MONITORING_TOKEN"],
  ["two directories", { LOG_DIR: "./data/" }, "LOG_DIR"],
])("rule: %s", (_, env, variable) => {
  expect(variablesOf(problemsOf(env))).toEqual([variable]);
});

test("a rule is not tried on values that are wrong themselves", () => {
  expect(
    variablesOf(problemsOf({ QUEUE_LENGTH_MAX: "none", QUEUE_LANE_LENGTH_MAX: "99999" })),
  ).toEqual(["QUEUE_LENGTH_MAX"]);
});

test("limits may be switched off against another Bot API server, and in the sandbox", () => {
  const off = { FLOOD_LIMITS_ENABLED: "false" };

  expect(problemsOf({ ...off, BOT_TOKEN: token, TELEGRAM_API_ROOT: "http://127.0.0.1:9" })).toEqual(
    [],
  );
  expect(problemsOf(off)).toEqual([]);
});

test.each(["0.0.0.0", "::", "192.168.1.5"])("with strong tokens it may listen on %s", (address) => {
  const tokens = { RESTART_TOKEN: strong, MONITORING_TOKEN: strong.toUpperCase() };

  expect(problemsOf({ MONITORING_HOST: address, ...tokens })).toEqual([]);
});

test("no token is shown in what is wrong with it", () => {
  const problems = problemsOf(
    open({ RESTART_TOKEN: "a1b2c3d4e5f6g7h8", MONITORING_TOKEN: "x y z" }),
  );

  expect(JSON.stringify(problems)).not.toMatch(/a1b2c3d4|x y z/);
});

test("values are read as they are meant", () => {
  const config = parseConfig({
    TELEGRAM_API_ROOT: "http://127.0.0.1:8081/prefix/",
    MINI_APP_URL: "https://app.example/?a=1#b",
    HTTPS_PROXY: "http://user:pw@proxy:8080",
    WELCOME_BALANCE: "12.5",
    FLOOD_LIMITS_ENABLED: "FALSE",
    MONITORING_HOST: "::1",
    LOG_LEVEL: "  ",
  });

  expect(config.telegram.apiRoot).toBe("http://127.0.0.1:8081/prefix");
  expect(config.miniApp.url).toBe("https://app.example/?a=1#b");
  expect(config.telegram.httpsProxy?.reveal()).toBe("http://user:pw@proxy:8080");
  expect(config.module["welcomeBalanceMinor"]).toBe(1_250);
  expect(config.flood.enabled).toBe(false);
  expect(config.monitoring.host).toBe("::1");
  expect(config.log.level).toBe("debug");
});

test("a module's settings are read, checked and suggested like the engine's own", () => {
  const module: ModuleSettings = {
    title: "Quiz",
    rows: {
      rounds: setting(integer(1, 9), {
        variable: "QUIZ_ROUNDS",
        default: 3,
        sentence: "Questions in a game.",
      }),
    },
    prefixes: ["QUIZ_"],
  };
  expect(parse({}, undefined, module).module).toEqual({ rounds: 3 });
  expect(parse({ QUIZ_ROUNDS: "5" }, undefined, module).module).toEqual({ rounds: 5 });
  expect(() => parse({ QUIZ_ROUNDS: "10" }, undefined, module)).toThrow(/whole number from 1 to 9/);
  expect(() => parse({ QUIZ_ROUND: "1" }, undefined, module)).toThrow(/Did you mean QUIZ_ROUNDS/);
  expect(parse({ QUIZ_ROUND: "1" }).module).toEqual({});
});
