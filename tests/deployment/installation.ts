/**
 * Installation: a clone of this project, deployed by its own script with real PM2, and undone after the
 * test. What is deployed is HEAD: changes that are not committed are not seen.
 *
 * The clone gets this project's node_modules as hard links, so that nothing is asked of a registry.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import { type SandboxClient, sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox, freePort } from "../../sandbox/ensure.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

export interface Installation {
  /** The clone. */
  readonly directory: string;
  readonly pm2Home: string;
  readonly token: string;
  readonly tokenFile: string;
  /** Address of its sandbox. */
  readonly apiRoot: string;
  readonly sandbox: SandboxClient;
  /** Runs the clone's deploy-fault-tolerance.sh, asking nothing. */
  deploy(...options: readonly string[]): Promise<Ran>;
  /** The same, killed with all it has started (`kill -9`) as soon as it says `text`. */
  deployUntil(text: string, ...options: readonly string[]): Promise<Ran>;
  pm2(...options: readonly string[]): Promise<Ran>;
  doctor(): Promise<Findings>;
  /** Changes a file of the clone and commits it: another version. */
  commit(file: string, edit: (text: string) => string): void;
  /** The last version that was ready. */
  version(): string;
  /** The process that PM2 keeps, once there is one other than `not`. */
  pid(not?: number): Promise<number>;
  api<T>(path: string): Promise<T>;
  /** Writes to the bot and waits for its greeting. */
  greet(userId: number): Promise<void>;
}

interface Findings {
  readonly healthy: boolean;
  readonly findings: readonly {
    readonly check: string;
    readonly level: string;
    readonly says: string;
    readonly mend?: string;
  }[];
}

/** @param settings More lines for `.env`. */
export async function setupInstallation(
  settings: Readonly<Record<string, string>> = {},
): Promise<Installation> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "deployed-bot-")));
  const directory = join(base, "bot");
  const pm2Home = join(base, "pm2");
  const tokenFile = join(base, "token");
  const sandboxProcess = await ensureSandbox({ port: 0, arguments: ["--flood", "off"] });
  const { token, url } = sandboxProcess;
  const port = await freePort("127.0.0.1");
  clone(directory);
  writeFileSync(tokenFile, `${token}\n`);
  const lines = { TELEGRAM_API_ROOT: url, ...settings };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(directory, ".env"), text.join(""), { mode: 0o600 });

  const environment = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    PM2_HOME: pm2Home,
    // As an operator exports it: the script writes it into .env, where PM2's bot finds it.
    MONITORING_PORT: String(port),
  };
  const run = (program: string, options: readonly string[], killedAt?: string) =>
    runProgram(directory, environment, program, options, killedAt);
  const deploy = async (options: readonly string[], killedAt?: string) => {
    const startedAtMs = performance.now();
    const all = ["--non-interactive", "--skip-drill", ...options];
    const ran = await run("./deploy-fault-tolerance.sh", all, killedAt);
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`deploy ${options.join(" ")}: exit code ${ran.code} after ${seconds} s`);
    return ran;
  };
  const pm2 = (...options: readonly string[]) =>
    run("node", [join(directory, "node_modules/pm2/bin/pm2"), ...options]);
  onTestFinished(async () => {
    await run("./deploy-fault-tolerance.sh", ["--uninstall", "--non-interactive"]);
    await pm2("kill");
    await sandboxProcess.stop();
    rmSync(base, { recursive: true, force: true });
  }, 120_000);

  const sandbox = sandboxClient(url);
  const pidFile = join(pm2Home, "pids", "telegram-bot-0.pid");
  return {
    directory,
    pm2Home,
    token,
    tokenFile,
    apiRoot: url,
    sandbox,
    deploy: (...options) => deploy(options),
    deployUntil: (text, ...options) => deploy(options, text),
    pm2,
    doctor: async () => {
      const { output } = await run("npm", ["run", "--silent", "doctor", "--", "--json"]);
      return JSON.parse(output) as Findings;
    },
    commit: (file, edit) => commit(directory, file, edit),
    version: () => realpathSync(join(directory, "releases", "current")),
    pid: (not) =>
      eventually(
        "a process of PM2's",
        async () => {
          const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
          return pid > 0 && pid !== not && pid;
        },
        60_000,
      ),
    api: async <T>(path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return ((await answer.json()) as { data: T }).data;
    },
    greet: async (userId) => {
      await sandbox.write({ userId, text: "/start" });
      const hello = ({ text: said }: { text?: string }) => said?.startsWith("Hello") ?? false;
      await sandbox.waitForMessage(userId, hello, { timeoutMs: 60_000 });
    },
  };
}

function clone(directory: string): void {
  execFileSync("git", ["clone", "--quiet", project, directory]);
  execFileSync("cp", ["-al", join(project, "node_modules"), directory]);
  // Compiled code of other directories, which nobody would use.
  rmSync(join(directory, "node_modules/.cache"), { recursive: true, force: true });
}

function commit(directory: string, file: string, edit: (text: string) => string): void {
  const path = join(directory, file);
  const text = readFileSync(path, "utf8");
  const edited = edit(text);
  if (edited === text) throw new Error(`the edit finds nothing to change in ${file}`);
  writeFileSync(path, edited);
  const author = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  execFileSync("git", [...author, "commit", "--quiet", "-am", "Try"], { cwd: directory });
}

async function runProgram(
  directory: string,
  environment: NodeJS.ProcessEnv,
  program: string,
  options: readonly string[],
  killedAt?: string,
): Promise<Ran> {
  const child = spawn(program, options, {
    cwd: directory,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own is killed as a whole; PM2's daemon is in none of ours.
    detached: killedAt !== undefined,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (killedAt === undefined || !output.includes(killedAt)) return;
      try {
        process.kill(-(child.pid ?? 0), "SIGKILL");
      } catch {
        // It has ended already.
      }
    });
  }
  // Not `close`: PM2's daemon inherits nothing, but a test must not hang on it if it did.
  const [code] = (await once(child, "exit")) as [number | null];
  return { code, output };
}
