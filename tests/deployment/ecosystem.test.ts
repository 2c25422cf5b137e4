/** Ecosystem: the file that PM2 reads, with different `.env` files beside it. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { settings } from "../../bot/config/settings-table.ts";
import { judgeSettings } from "../../bot/operator/doctor/checks/pm2.ts";
import type { Pm2Settings } from "../../bot/operator/doctor/pm2.ts";
import { allocatorEnv, startOptions } from "../../lab/drill/bot-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface App extends Pm2Settings {
  readonly name: string;
  readonly cwd: string;
  readonly error_file: string;
  readonly interpreter: string;
  readonly max_memory_restart: string;
  readonly node_args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly env_development: object;
  readonly env_production: object;
  readonly env_test: object;
}

/** The app as PM2 gets it, from a place with this `.env`. */
function readApp(envFile: string, place = "."): { readonly app: App; readonly home: string } {
  const home = mkdtempSync(join(tmpdir(), "ecosystem-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const packageDirectory = join(home, place);
  mkdirSync(packageDirectory, { recursive: true });
  for (const file of ["ecosystem.config.js", "package.json"]) {
    copyFileSync(join(root, file), join(packageDirectory, file));
  }
  symlinkSync(join(root, "node_modules"), join(packageDirectory, "node_modules"));
  writeFileSync(join(home, ".env"), envFile);
  const script =
    "import('./ecosystem.config.js').then(({ apps }) => console.log(JSON.stringify(apps)))";
  const text = execFileSync(process.execPath, ["-e", script], {
    cwd: packageDirectory,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], TELEGRAM_BOT_TOKEN: "123456:of-the-shell" },
  });
  const [app, ...more] = JSON.parse(text) as App[];
  expect(more).toEqual([]);
  return { app: app as App, home };
}

test("PM2 never gives up, stops at 78 alone, and is given no variable but PATH and the allocator's", () => {
  const { app } = readApp("TELEGRAM_BOT_TOKEN=123456:of-the-file\n");
  expect(app.name).toBe("telegram-bot");
  expect(judgeSettings(app, "file")).toEqual([]);
  expect(app.env).toEqual({ PATH: process.env["PATH"], ...allocatorEnv });
  expect(app.env_development).toEqual({ NODE_ENV: "development" });
  expect(app.env_production).toEqual({ NODE_ENV: "production" });
  expect(app.env_test).toEqual({ NODE_ENV: "test" });
  expect(JSON.stringify(app)).not.toContain("of-the-");
  expect(app.interpreter).toMatch(/node$/);
});

test.each([
  ["", "development"],
  ["NODE_ENV=production", "production"],
  ["NODE_ENV='test'", "test"],
] as const)("with %j the limits of memory stand behind the bot's own", (line, profile) => {
  const { app } = readApp(line);
  const ownMb = Number(settings.process.memoryLimitBytes.defaults?.[profile]);
  expect(app.node_args).toEqual([...startOptions, `--max-old-space-size=${ownMb}`]);
  expect(app.max_memory_restart).toBe(`${ownMb * 1.5}M`);
});

test("settings of .env count, and a wrong one is left to the bot to report", () => {
  const { app, home } = readApp('MEMORY_LIMIT_MB=300\nLOG_DIR="my logs" # here\n');
  expect(app.max_memory_restart).toBe("450M");
  expect(app.error_file).toBe(join(home, "my logs", "pm2-error.log"));
  expect(readApp("MEMORY_LIMIT_MB=much").app.max_memory_restart).toBe("1536M");
});

test("a version under releases/ shares .env and logs with the others", () => {
  const { app, home } = readApp("MEMORY_LIMIT_MB=300", "releases/abc");
  expect(app.cwd).toBe(join(home, "releases", "abc"));
  expect(app.error_file).toBe(join(home, "logs", "pm2-error.log"));
  expect(app.max_memory_restart).toBe("450M");
});
