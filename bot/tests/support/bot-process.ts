/** Bot process: the real `bot/start.ts`, started, killed and started again by tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const startFile = fileURLToPath(new URL("../../start.ts", import.meta.url));
const pinnedNode = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));

/** The Node.js that `npm start` uses. */
export const node = existsSync(pinnedNode) ? pinnedNode : process.execPath;

export interface BotProcessOptions {
  readonly directory: string;
  readonly apiRoot: string;
  readonly token: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to run. Default: `bot/start.ts`. */
  readonly file?: string;
}

export class BotProcess {
  readonly #options: BotProcessOptions;
  #child: ChildProcess | undefined;
  #output = "";
  /** Of the present process alone. */
  #said = "";

  constructor(options: BotProcessOptions) {
    this.#options = options;
  }

  /** Everything the processes have written so far. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { apiRoot, directory, env, file = startFile, token } = this.#options;
    this.#said = "";
    const child = spawn(node, [file], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        NODE_ENV: "test",
        TELEGRAM_BOT_TOKEN: token,
        TELEGRAM_API_ROOT: apiRoot,
        DATA_DIR: join(directory, "data"),
        LOG_DIR: join(directory, "logs"),
        MONITORING_PORT: "0",
        ...env,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-100_000);
        this.#said += chunk.toString();
      });
    }
    this.#child = child;
  }

  /** Base address of its monitoring API, once it has said so. */
  async monitoringUrl(): Promise<string> {
    for (let tries = 0; tries < 600; tries++) {
      const said = /Health: (http:\S+)\/api\/health/.exec(this.#said)?.[1];
      if (said) return said;
      if (this.#child?.exitCode !== null) break;
      await pause(50);
    }
    throw new Error(`the bot did not come up: ${this.#output.slice(-2_000)}`);
  }

  /** Ends it as `kill -9` does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to stop. @returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    return this.#end(signal);
  }

  /** Waits until it ends by itself. @returns its exit code. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (!child) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    return this.ended();
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `question` answers something, at most `timeoutMs`. */
export async function eventually<T>(
  what: string,
  question: () => Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await pause(100);
  }
}
