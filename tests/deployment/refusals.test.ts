/** Refusals of the script of deployment: each says what is wrong and what mends it, and changes nothing. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "dotenv";
import { expect, onTestFinished, test } from "vitest";
import { readSecretsFile } from "../../bot/config/secrets-file.ts";
import { settingRows } from "../../bot/config/settings-table.ts";
import { shopSettings } from "../../bot/shop/settings.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
const token = `123456:${"a".repeat(35)}`;

/** A directory with the script, and files enough for what it does before it builds a version. */
function setup(place = ".") {
  const base = mkdtempSync(join(tmpdir(), "refusals-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const directory = join(base, place);
  mkdirSync(directory, { recursive: true });
  for (const name of [".env.example", "deploy-fault-tolerance.sh", "package.json"]) {
    copyFileSync(join(project, name), join(directory, name));
  }
  // There is no lockfile: npm ci refuses before it asks anybody.
  const run = (options: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { status, stderr, stdout } = spawnSync(
      "bash",
      ["deploy-fault-tolerance.sh", ...options],
      {
        cwd: directory,
        encoding: "utf8",
        timeout: 60_000,
        env: {
          PATH: process.env["PATH"],
          HOME: process.env["HOME"],
          PM2_HOME: join(base, "pm2"),
          ...env,
        },
      },
    );
    return { status, output: stdout + stderr };
  };
  return { directory, run };
}

test.each([
  [["--everything"], "--everything is not understood", "--help"],
  [["--env"], "--env needs a value", "--help"],
  [["--env", "staging"], '--env is "staging"', "--env production"],
  [["--ready-seconds", "soon"], "--ready-seconds", "a number of seconds"],
  [["--purge"], "--purge alone", "--uninstall"],
  [["--update"], "nothing is installed here", "./deploy-fault-tolerance.sh"],
  [["--status"], "nothing is installed here", "./deploy-fault-tolerance.sh"],
])("%j: %s", (options, problem, mend) => {
  const { directory, run } = setup();
  const before = readdirSync(directory);
  const { output, status } = run(options);
  expect(status).toBe(1);
  expect(output).toContain(problem);
  expect(output.slice(output.indexOf("Mend:"))).toContain(mend);
  expect(readdirSync(directory)).toEqual(before);
});

test("production without a token is refused, and says how to give one", () => {
  const { output, status } = setup().run(["--non-interactive", "--env", "production"]);
  expect(status).toBe(1);
  expect(output).toContain("production needs a token");
  expect(output).toContain("--token-file FILE");
});

test.each([
  ["a file that is not there", undefined, "cannot be read"],
  ["no token at all", "hello\n", "does not look like a bot's token"],
])("a token file with %s is refused without showing it", (_, contents, problem) => {
  const { directory, run } = setup();
  const file = join(directory, "token");
  if (contents !== undefined) writeFileSync(file, contents);
  const { output, status } = run(["--non-interactive", "--token-file", file]);
  expect(status).toBe(1);
  expect(output).toContain(problem);
  expect(output).not.toContain("hello");
});

test("a dry run says what would be done and changes nothing", () => {
  const { directory, run } = setup();
  const before = readdirSync(directory);
  const { output, status } = run(["--dry-run", "--env", "production"], { BOT_TOKEN: token });
  expect({ status, output }).toMatchObject({ status: 0 });
  expect(output).toContain("npm ci");
  expect(output).toContain("nothing was changed");
  expect(readdirSync(directory)).toEqual(before);
});

test("packages that cannot be installed leave settings and no half version", () => {
  const { directory, run } = setup();
  writeFileSync(
    join(directory, ".env"),
    "# mine\nBOT_TOKEN_OF_ANOTHER=1\nMONITORING_PORT = 3009 # there\nNODE_ENV=test\n",
  );
  chmodSync(join(directory, ".env"), 0o644);
  const { output, status } = run(["--non-interactive", "--skip-drill"], {
    TELEGRAM_BOT_TOKEN: token,
  });
  expect(status).toBe(1);
  expect(output).toContain("npm ci failed; nothing was changed");
  expect(output).not.toContain(token);
  expect(readdirSync(join(directory, "releases"))).toEqual([]);
  expect(statSync(join(directory, ".env")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(directory, ".env"), "utf8")).toBe(
    `# mine\nBOT_TOKEN_OF_ANOTHER=1\nMONITORING_PORT = 3009 # there\nNODE_ENV=test\nTELEGRAM_BOT_TOKEN=${token}\n`,
  );
});

/** Every variable there is, as the script takes them from the environment. */
const everySetting = Object.fromEntries(
  settingRows(shopSettings).map(({ setting: { defaults, variable } }) => [
    variable,
    defaults?.production ?? "a value",
  ]),
);

test("what is set in the environment is written into .env, every setting, and said", {
  timeout: 120_000,
}, () => {
  const { directory, run } = setup();
  const given = { ...everySetting, TELEGRAM_BOT_TOKEN: token, MONITORING_PORT: "3055" };
  const { output } = run(["--non-interactive", "--skip-drill"], given);
  expect(output).toMatch(/taken from the environment into \.env:.* MONITORING_PORT /);
  expect(output).not.toContain(token);
  expect(parse(readFileSync(join(directory, ".env")))).toEqual(given);
  expect(run(["--non-interactive", "--skip-drill"], given).output).not.toContain("taken from");
});

test.each([
  " a # and 'quotes' ",
  'a "quoted" # word',
  "https://app.example/?a=1&b=2#part",
  "back\\slash",
])("the value %j is written so that the bot reads it back", (value) => {
  const { directory, run } = setup();
  run(["--non-interactive", "--skip-drill"], { LOG_DIR: value });
  const contents = readFileSync(join(directory, ".env"), "utf8");
  const read = readSecretsFile({ name: ".env", contents, mode: 0o600 });
  expect(read).toMatchObject({ problems: [], values: { LOG_DIR: value.trim() } });
  expect(run(["--dry-run"], { LOG_DIR: value }).status).toBe(0);
});

test.each([
  "MONITORING_PORT=3001\n",
  'MONITORING_PORT = "3001" # mine\n',
  `MONITORING_PORT=3001\nBOT_TOKEN=${token}\n`,
])("where .env says something else than the environment, nothing is done: %j", (contents) => {
  const { directory, run } = setup();
  const file = join(directory, ".env");
  writeFileSync(file, contents, { mode: 0o600 });
  const { output, status } = run(["--non-interactive"], {
    MONITORING_PORT: "3055",
    TELEGRAM_BOT_TOKEN: token,
  });
  expect(status).toBe(1);
  expect(output).toContain("differ on: MONITORING_PORT\n");
  expect(output.slice(output.indexOf("Mend:"))).toContain("unset MONITORING_PORT");
  expect(output).not.toContain(token);
  expect(readFileSync(file, "utf8")).toBe(contents);
  expect(existsSync(join(directory, "releases"))).toBe(false);
});

test("what an option gives wins over the environment and .env", () => {
  const { directory, run } = setup();
  const file = join(directory, "token");
  writeFileSync(file, token);
  writeFileSync(join(directory, ".env"), "NODE_ENV=production\nTELEGRAM_BOT_TOKEN=1:old\n");
  const { output } = run(
    ["--non-interactive", "--skip-drill", "--env", "test", "--token-file", file],
    { NODE_ENV: "development", BOT_TOKEN: "2:other" },
  );
  expect(output).toContain("npm ci failed");
  expect(parse(readFileSync(join(directory, ".env")))).toMatchObject({
    NODE_ENV: "test",
    TELEGRAM_BOT_TOKEN: token,
  });
});

test("a refusal leaves no .env behind", () => {
  const { directory, run } = setup();
  const { output } = run(["--non-interactive"], { NODE_ENV: "production", LOG_LEVEL: "debug" });
  expect(output).toContain("production needs a token");
  expect(existsSync(join(directory, ".env"))).toBe(false);
});

test("a second run beside one that works is refused; one that died is no obstacle", () => {
  const { directory, run } = setup();
  const lock = join(directory, "releases", ".lock");
  mkdirSync(lock, { recursive: true });
  writeFileSync(join(lock, "pid"), String(process.pid));
  expect(run(["--non-interactive"]).output).toContain(`process ${process.pid} deploys here`);
  expect(existsSync(lock)).toBe(true);
  writeFileSync(join(lock, "pid"), "4194305");
  expect(run(["--non-interactive"]).output).toContain("npm ci failed");
  expect(existsSync(lock)).toBe(false);
});

test("one of the installed versions is not deployed from", () => {
  const { output, status } = setup("releases/abc").run(["--non-interactive"]);
  expect(status).toBe(1);
  expect(output).toContain("one of the installed versions");
});
