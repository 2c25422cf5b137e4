/**
 * Documents: every command in an `sh` block of a document is run by a test, and every link leads
 * somewhere.
 *
 * A command is run here, beside a real bot that `npm start` has started in a directory of its own, or in
 * the test that its row names. A new command needs a row; a row that no command uses has to go.
 */
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { eventually, node } from "../lab/drill/bot-process.ts";
import { findPostgres } from "../lab/drill/machines/postgres-programs.ts";
import { sandboxClient } from "../sandbox/client.ts";
import { freePort } from "../sandbox/ensure.ts";
import { sandboxToken } from "../sandbox/sandbox.ts";
import { compileCacheEnv } from "./support/compile-cache.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

const documents = execFileSync("git", ["ls-files", "-coz", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\0")
  .filter((path) => /^[^/]+\.md$|^docs\/|^deploy\/|^sandbox\//.test(path))
  .filter((path) => existsSync(join(root, path)));

// ---- the table ------------------------------------------------------------------------------------

interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Gives `undefined` when the command has been run already. */
type Here = (command: string, scene: Scene) => Promise<Ran | undefined>;

interface Row {
  /** Matches the whole command. */
  readonly command: RegExp;
  /** Runs the command, changed if it would take too long or touch this project. */
  readonly here?: Here;
  /** Its output must match this. Default: anything. */
  readonly says?: RegExp;
  /** Default 0. */
  readonly code?: number;
  /** The file that runs it, and words in that file that show it. */
  readonly elsewhere?: readonly [file: string, words: string];
}

const asItStands: Here = (command, scene) => scene.run(command);
const inTheProject: Here = (command, scene) => scene.run(`cd "${root}" && ${command}`);
const shortened =
  (from: RegExp, to: string): Here =>
  (command, scene) =>
    scene.run(command.replace(from, to));

const table: readonly Row[] = [
  // The project itself
  { command: /^npm ci$/, elsewhere: [".ci/run", "\nnpm ci\n"] },
  { command: /^npm test$/, elsewhere: [".ci/run", "\nnpm test "] },
  // It starts the bot of this file.
  { command: /^npm start$/, here: async () => undefined },
  { command: /^npm start -- --help$/, here: asItStands, says: /TELEGRAM_BOT_TOKEN/ },
  { command: /^export [A-Z_]+="[^"]+"$/, here: asItStands },
  { command: /^cd bot$/, here: inTheProject },
  {
    command: /^node start\.ts$/,
    here: (command, scene) => {
      const data = join(scene.directory, "third");
      const ports = { MONITORING_PORT: "0", SANDBOX_PORT: "0" };
      const env = { ...ports, DATA_DIR: data, TELEGRAM_BOT_TOKEN: "" };
      return scene.run(`cd "${root}/bot" && ${command} --check`, env);
    },
  },
  {
    // CI runs both commands; within a test it would run itself.
    command: /^npm run check$/,
    elsewhere: ["package.json", '"check": "npm run lint && npm test"'],
  },
  {
    // Within a test it would run the tests again.
    command: /^npm run test:quick$/,
    elsewhere: ["package.json", '"test:quick": "vitest run --project quick"'],
  },
  {
    command: /^npm run fix$/,
    // It runs in a project of one file, so that this project stays as it is.
    here: (command, scene) => {
      const project = join(scene.directory, "project");
      mkdirSync(project);
      for (const name of ["package.json", "biome.json"]) {
        copyFileSync(join(root, name), join(project, name));
      }
      symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
      writeFileSync(join(project, "ugly.ts"), "export const ugly   =  1\n");
      return scene.run(`cd project && git init -q && echo node_modules > .gitignore && ${command}`);
    },
    says: /Fixed 1 file/,
  },
  {
    command: /^npm run docs$/,
    elsewhere: ["tests/extending.test.ts", '"bot/operator/write-documents.ts"'],
  },
  {
    command: /^npx vitest run \S+ -t "[^"]+"$/,
    here: inTheProject,
    says: /passed/,
  },
  {
    command: /^npm run bench$/,
    here: shortened(/$/, " -- --updates 20 --rounds 1 --only this-bot,telegraf,limit-line"),
    says: /bare Telegraf +\d+ +1\.00/,
  },
  {
    command: /^npm run bench:latency$/,
    here: shortened(/$/, " -- --rates 20 --seconds 1 --situations alone"),
    says: /bare Telegraf +nothing +20 +\d/,
  },
  {
    command: /^npm run bench:memory$/,
    here: shortened(
      /$/,
      " -- --seconds 1 --settle 1 --burst 20 --rounds 1 --waiting 0 --only telegraf",
    ),
    says: /kill -9 to the reply, 0 waiting +\d+ ms/,
  },
  {
    command: /^npm run bench:flood$/,
    here: shortened(/$/, " -- --seconds 1"),
    says: /paid +1000\/s/,
  },
  {
    command: /^npm run bench:queue$/,
    here: shortened(/$/, " -- --updates 20 --waiting 0,100 --lanes 10"),
    says: /100 waiting: \d+ µs an update/,
  },
  {
    // Without a PostgreSQL there is nothing to measure.
    command: /^npm run bench:postgres$/,
    here: findPostgres()
      ? shortened(
          /$/,
          " -- --only postgres-2,pg-boss,bare --seconds 1 --rounds 1 --delay-ms 1 --waiting 20",
        )
      : async () => undefined,
    says: /this bot on PostgreSQL, 2 processes +\d+/,
  },
  { command: /^npm run bench:postgres -- --help$/, here: asItStands, says: /--delay-ms/ },
  {
    command: /^npm run bench:sandbox$/,
    here: shortened(/$/, " -- --requests 100 --updates 10000"),
    says: /sendMessage: \d+ requests/,
  },
  {
    command: /^npm run simulate$/,
    here: shortened(/$/, " -- --seeds 1 --mode liveness"),
  },
  { command: /^echo '\[[^']+\]' > script\.json$/, here: asItStands },
  {
    command: /^npm run crash-test -- (?:\.\/)?examples\/echo\.ts script\.json$/,
    here: (_, scene) => {
      const script = join(scene.directory, "talk.json");
      writeFileSync(script, '[{ "say": "hello" }]');
      return scene.run(`cd "${root}" && npm run crash-test -- examples/echo.ts "${script}"`);
    },
    says: /survived \d+ deaths/,
  },
  {
    command: /^npm run drill -- --quick$/,
    here: (command, scene) => {
      const page = join(scene.directory, "report.html");
      return scene.run(command.replace("--quick", `--only stop-under-load --html ${page}`));
    },
    says: /Every promise held/,
  },
  { command: /^npm run drill -- --list$/, here: asItStands, says: /network-down/ },
  {
    // With --list the options are checked, and the faults are named instead of run.
    command: /^npm run drill(?: -- --(?:only|kills|machines|minutes|peers|html)(?: \S+)?)?$/,
    here: shortened(/(?: --)?( --.*)?$/, " --$1 --list"),
    says: /network-down/,
  },
  {
    command: /^npm run sandbox:methods$/,
    elsewhere: ["package.json", '"sandbox:methods": "node sandbox/bot-api-table/write-table.ts"'],
  },
  // The live bot starts the same program as a process of its own.
  {
    command: /^npm run sandbox$/,
    elsewhere: ["tests/support/live-bot.ts", "await ensureSandbox("],
  },
  { command: /^npm run sandbox -- --help$/, here: asItStands, says: /--port/ },

  // An installation
  { command: /^cp \.env\.example \.env$/, here: asItStands },
  { command: /^chmod 600 \.env$/, here: asItStands },
  { command: /^npm run doctor$/, here: asItStands, code: 1, says: /\d+ fine, .* wrong/ },
  {
    command: /^\.\/deploy-fault-tolerance\.sh --status$/,
    here: inTheProject,
    code: 1,
    says: /nothing is installed here|doubtful/,
  },
  { command: /^chmod \+x deploy-fault-tolerance\.sh$/, here: inTheProject },
  {
    command: /^\.\/deploy-fault-tolerance\.sh --dry-run$/,
    here: inTheProject,
    says: /nothing was changed/,
  },
  {
    command: /^\.\/deploy-fault-tolerance\.sh$/,
    elsewhere: ["tests/deployment/life.test.ts", "bot.deploy()"],
  },
  {
    // The script runs it, and tests/deployment runs the script with a PM2 of its own.
    command: /^npx pm2 start ecosystem\.config\.js --env production$/,
    elsewhere: ["deploy-fault-tolerance.sh", '/ecosystem.config.js" --env '],
  },
  { command: /^npx pm2 save$/, elsewhere: ["deploy-fault-tolerance.sh", "pm2 save --force"] },
  { command: /^npx pm2 status$/, here: inTheProject },
  {
    command: /^npx pm2 logs telegram-bot$/,
    here: (_, scene) => scene.run(`cd "${root}" && npx pm2 logs telegram-bot --nostream`),
  },
  {
    command: /^\.\/deploy-fault-tolerance\.sh --update$/,
    elsewhere: ["tests/deployment/update.test.ts", 'bot.deploy("--update")'],
  },
  { command: /^(?:df -h|du -sh) [\w. ]+$/, here: asItStands },
  { command: /^tar -czf bot-move\.tar\.gz \.env data$/, here: asItStands },
  { command: /^tail -n \d+ logs\/bot-\*\.log$/, here: asItStands, says: /process\.started/ },
  { command: /^openssl rand -(?:hex|base64) 32$/, here: asItStands, says: /^\S{44,64}$/m },

  // The operator's programs
  { command: /^npm run backup$/, here: asItStands, says: /written and checked/ },
  {
    command: /^npm run restore -- FILE$/,
    // It restores into another directory, because the bot holds the first.
    here: async (command, scene) => {
      const made = await scene.run("npm run backup");
      const file = /written and checked: (\S+)/.exec(made.output)?.[1] ?? "";
      return scene.run(command.replace("FILE", file), { DATA_DIR: join(scene.directory, "other") });
    },
    says: /Restored/,
  },
  {
    command: /^npm run move -- --to (?:postgres|sqlite)$/,
    elsewhere: ["tests/end-to-end/move.test.ts", 'move(["--to", "sqlite"]'],
  },
  { command: /^npm run rotate-key$/, here: asItStands, says: /data key \d/ },
  {
    command: /^npm run reconcile$/,
    here: (command, scene) => scene.run(command, { TELEGRAM_API_ROOT: scene.apiRoot }),
    says: /books agree/,
  },
  { command: /^npm run find-user -- @\w+$/, here: asItStands, says: /no account has the username/ },

  // The monitoring API
  {
    command: /^curl (?:-s )?"?http:\/\/127\.0\.0\.1:3001\/[\w/?=&-]*"?$/,
    here: asItStands,
    says: /"success":true/,
  },
  {
    command: /^curl -s -H \S+ \S+ \$\(cat \S+\)" http:\S+\/api\/dead-letters\/1$/,
    here: asItStands,
    says: /there is no dead letter 1/,
  },
  {
    command: /^curl (?:-s )?-X POST .*\/api\/restart(?: .*)?$/,
    here: async (command, scene) => {
      const ran = await scene.run(command);
      await scene.restarted();
      return ran;
    },
    says: /"success":true/,
  },
  {
    command: /^curl (?:-s )?-X POST .*\/api\/holds\/safe-mode:handling\/release$/,
    here: asItStands,
    says: /no hold safe-mode:handling is in force/,
  },
  {
    command: /^curl (?:-s )?-X POST .*\/api\/message-queue\/delayed\/12\/run$/,
    here: asItStands,
    says: /no message 12 is delayed/,
  },
  {
    command: /^curl (?:-s )?-X POST .*\/api\/(?!restart)\S+(?: .*)?$/,
    here: asItStands,
    says: /"success":true/,
  },
];

// ---- commands -------------------------------------------------------------------------------------

interface Command {
  readonly text: string;
  /** Document and line. */
  readonly place: string;
}

/** The commands that a reader would type, without comments. */
function commandsOf(path: string): readonly Command[] {
  const commands: Command[] = [];
  let inside = false;
  let begun = "";
  for (const [index, line] of read(path).split("\n").entries()) {
    const fence = /^ *```(\w*)/.exec(line);
    if (fence) inside = !inside && /^(?:sh|bash|shell)$/.test(fence[1] ?? "");
    else if (inside) {
      const typed = begun + line.replace(/(?:^|\s)#(?:\s.*|$)/, "").trim();
      begun = typed.endsWith("\\") ? typed.slice(0, -1) : "";
      const parts = typed.startsWith("cd ") ? [typed] : typed.split(" && ");
      if (begun === "" && typed !== "") {
        for (const text of parts) commands.push({ text, place: `${path}:${index + 1}` });
      }
    }
  }
  return commands;
}

const commands = documents.flatMap(commandsOf);
const rowOf = ({ text }: Command) => table.find(({ command }) => command.test(text));

test("every command in a document is run by a test, and no row is left over", () => {
  expect(documents.length).toBeGreaterThan(7);
  expect(commands.length).toBeGreaterThan(30);
  const unknown = commands.filter((command) => !rowOf(command));
  expect(unknown.map(({ place, text }) => `${place}: ${text}`)).toEqual([]);
  const used = new Set(commands.map(rowOf));
  expect(table.filter((row) => !used.has(row)).map(({ command }) => String(command))).toEqual([]);
});

test.for(table.flatMap(({ command, elsewhere }) => (elsewhere ? [[command, elsewhere]] : [])))(
  "%s is run where its row says",
  ([, elsewhere]) => {
    const [file, words] = elsewhere as Required<Row>["elsewhere"];
    expect(read(file)).toContain(words);
  },
);

// ---- running them ---------------------------------------------------------------------------------

/** A directory in which a bot runs, as an operator has it. */
class Scene {
  readonly directory = mkdtempSync(join(tmpdir(), "documents-"));
  #url = "";
  #sandboxPort = 0;
  #end = () => Promise.resolve();

  constructor() {
    copyFileSync(join(root, ".env.example"), join(this.directory, ".env.example"));
    copyFileSync(join(root, ".env.example"), join(this.directory, ".env"));
    mkdirSync(join(this.directory, "data"));
  }

  /** `npm start`, without a token. Resolves when the bot says that it is up. */
  async start(): Promise<void> {
    // It outlives a bot that restarts, which has to find it again.
    this.#sandboxPort ||= await freePort("127.0.0.1");
    const child = spawn("npm", ["start"], { cwd: root, detached: true, env: this.#env() });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    this.#end = async () => {
      if (child.exitCode !== null) return;
      const ended = once(child, "exit");
      process.kill(-(child.pid ?? 0), "SIGTERM");
      await ended;
    };
    this.#url = await eventually("npm start", async () => {
      expect(child.exitCode, said).toBe(null);
      return /Health: (http:\S+)\/api\/health/.exec(said)?.[1];
    });
  }

  /** The sandbox's address. */
  get apiRoot(): string {
    return `http://127.0.0.1:${this.#sandboxPort}`;
  }

  async close(): Promise<void> {
    await this.#end();
    const sandbox = sandboxClient(this.apiRoot);
    // If the bot was not restarted, the sandbox has ended already.
    await sandbox.stop().catch(() => {});
    if (existsSync(join(this.directory, ".pm2")))
      await this.run(`"${root}"/node_modules/.bin/pm2 kill`);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Starts the bot again after it was asked to restart: here no supervisor does. */
  async restarted(): Promise<void> {
    await this.#end();
    await this.start();
  }

  /** Runs a command as it would be typed in the bot's directory. Never rejects. */
  async run(command: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const typed = command
      .replaceAll(/http:\/\/(?:127\.0\.0\.1|localhost):3001/g, this.#url)
      .replace(/^npm (?=run |start )/, `npm --prefix "${root}" `);
    const options = {
      cwd: this.directory,
      env: {
        ...this.#env(),
        TELEGRAM_BOT_TOKEN: sandboxToken,
        MONITORING_PORT: new URL(this.#url).port,
        ...env,
      },
    };
    return new Promise((resolve) => {
      execFile("bash", ["-c", typed], options, (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? -1 : 0;
        resolve({ code, output: stdout + stderr });
      });
    });
  }

  #env() {
    return {
      PATH: `${dirname(node)}:${process.env["PATH"]}`,
      HOME: this.directory,
      ...compileCacheEnv,
      NODE_ENV: "test",
      NO_COLOR: "1",
      // Neither npm nor PM2 looks for newer versions.
      npm_config_update_notifier: "false",
      PM2_DISABLE_VERSION_CHECK: "true",
      LOG_LEVEL: "info",
      SANDBOX_PORT: String(this.#sandboxPort),
      DATA_DIR: join(this.directory, "data"),
      LOG_DIR: join(this.directory, "logs"),
    };
  }
}

describe("beside a bot that npm start has started", () => {
  const scene = new Scene();
  beforeAll(() => scene.start(), 60_000);
  afterAll(() => scene.close());

  const run = async (command: Command, context: TestContext) => {
    const [tool = ""] = command.text.split(" ");
    if (isMissing(tool)) context.skip(`there is no ${tool} here`);
    const { here, says = /^/, code = 0 } = rowOf(command) as Row;
    const ran = await here?.(command.text, scene);
    if (!ran) return;
    expect(ran, command.place).toEqual({ code, output: expect.stringMatching(says) });
  };
  const once = [...new Map(commands.map((command) => [command.text, command])).values()];
  const here = once.filter((command) => rowOf(command)?.here);
  // They take the longest, mostly wait, and have nothing to do with the bot.
  const isBench = ({ text }: Command) => text.startsWith("npm run bench");
  const timeout = 60_000;
  test.concurrent.for(here.filter(isBench))("$text", { timeout }, run);
  test.for(here.filter((command) => !isBench(command)))("$text", { timeout }, run);
});

function isMissing(tool: string): boolean {
  return /^[a-z]/.test(tool) && spawnSync("bash", ["-c", `command -v ${tool}`]).status !== 0;
}

// ---- links ----------------------------------------------------------------------------------------

/** The anchors that GitHub makes from the headings. */
function anchorsOf(path: string): readonly string[] {
  const headings = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[^\p{L}\p{N}\- _]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test.for(documents)("every link in %s leads somewhere", (path) => {
  const text = read(path).replace(/^ *```[\s\S]*?^ *```/gm, "");
  const links = text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"\s]+)"/g);
  for (const [, inText, inTag] of links) {
    const link = inText ?? inTag ?? "";
    if (/^https?:/.test(link)) continue;
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : join(dirname(path), decodeURIComponent(file));
    expect(existsSync(join(root, target)), `${path}: ${link}`).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(target), `${path}: ${link}`).toContain(anchor);
  }
});

test("the changelog has the version of package.json", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  expect(read("CHANGELOG.md")).toContain(`\n## [${version}] - `);
});
