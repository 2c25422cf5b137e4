/** Bot process: starts, kills and restarts the real `bot/start.ts` for the drill and for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SabotageOrder } from "./sabotage.ts";

const startFile = fileURLToPath(new URL("../../bot/start.ts", import.meta.url));
const sabotageFile = fileURLToPath(new URL("./sabotage.ts", import.meta.url));
const pinnedNode = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));

/** The Node.js that `npm start` uses. */
export const node = existsSync(pinnedNode) ? pinnedNode : process.execPath;

const { allocator, scripts } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { allocator: Readonly<Record<string, string>>; scripts: { start: string } };

/** What `npm start` gives to Node.js, so that what is tested is what people run. */
export const startOptions: readonly string[] = scripts.start
  .split(" ")
  .filter((word) => word.startsWith("--"));

/** What PM2, the container and systemd tell glibc's allocator. */
export const allocatorEnv = allocator;

export interface BotProcessOptions {
  /** Directory of `data`, `logs` and the orders of sabotage. */
  readonly directory: string;
  readonly apiRoot: string;
  readonly token: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program. Default: `bot/start.ts`. */
  readonly file?: string;
  /** More Node.js options, such as `--max-old-space-size=64`. Default: none. */
  readonly nodeOptions?: readonly string[];
  /** Whether it takes orders of sabotage. Default true. */
  readonly sabotaged?: boolean;
}

/** A line that a process has written. */
export interface OutputLine {
  /** Instant by the drill's clock, see `nowMs`. */
  readonly atMs: number;
  readonly text: string;
}

/** How a process ended; either code or signal is null. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const outputCharactersMax = 100_000;
const linesMax = 50_000;

export class BotProcess {
  readonly #options: BotProcessOptions;
  #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #output = "";
  /** The present process's API, once it has printed the address. */
  #monitoringUrl: string | undefined;
  /** The present process's output, until it has printed the address of its API. */
  #said = "";
  #lines: OutputLine[] = [];

  constructor(options: BotProcessOptions) {
    this.#options = options;
    this.#env = options.env ?? {};
  }

  /** The end of the output of all processes so far. */
  get output(): string {
    return this.#output;
  }

  /** The same output by line, oldest first. */
  get lines(): readonly OutputLine[] {
    return this.#lines;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get running(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Changes the environment of later processes. */
  setEnv(env: Readonly<Record<string, string>>): void {
    this.#env = { ...this.#env, ...env };
  }

  /** Program and arguments, the file last. */
  get command(): readonly string[] {
    const { file = startFile, nodeOptions = [], sabotaged = true } = this.#options;
    const preload = sabotaged ? ["--import", pathToFileURL(sabotageFile).href] : [];
    return [node, ...startOptions, ...nodeOptions, ...preload, file];
  }

  /** The process's whole environment. */
  get environment(): NodeJS.ProcessEnv {
    const { apiRoot, directory, token } = this.#options;
    return {
      PATH: process.env["PATH"],
      ...allocatorEnv,
      NODE_ENV: "test",
      TELEGRAM_BOT_TOKEN: token,
      TELEGRAM_API_ROOT: apiRoot,
      DATA_DIR: join(directory, "data"),
      LOG_DIR: join(directory, "logs"),
      MONITORING_PORT: "0",
      SABOTAGE: this.#ordersFile,
      ...this.#env,
    };
  }

  start(): void {
    this.#said = "";
    this.#monitoringUrl = undefined;
    const [program = node, ...words] = this.command;
    const child = spawn(program, words, {
      stdio: ["ignore", "pipe", "pipe"],
      env: this.environment,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => this.#hear(chunk.toString()));
    }
    this.#child = child;
  }

  #hear(text: string): void {
    const atMs = nowMs();
    this.#output = (this.#output + text).slice(-outputCharactersMax);
    // This text is kept apart, because the output drops its oldest part.
    if (this.#monitoringUrl === undefined) {
      this.#said = (this.#said + text).slice(-outputCharactersMax);
      this.#monitoringUrl = /Health: (http:\S+)\/api\/health/.exec(this.#said)?.[1];
    }
    for (const line of text.split("\n")) if (line !== "") this.#lines.push({ atMs, text: line });
    if (this.#lines.length > linesMax) this.#lines = this.#lines.slice(-linesMax / 2);
  }

  /** Base address of its monitoring API. Waits until the process has printed it. */
  async monitoringUrl(): Promise<string> {
    for (let endedFor = 0, tries = 0; tries < 600 && endedFor < 100; tries++) {
      if (this.#monitoringUrl !== undefined && this.running) return this.#monitoringUrl;
      endedFor = this.running ? 0 : endedFor + 1;
      await pause(50);
    }
    throw new Error(`the bot did not come up: ${this.#output.slice(-2_000)}`);
  }

  /** The data at this path of its monitoring API; `undefined` while the API does not answer. */
  async ask<T>(path: string): Promise<T | undefined> {
    try {
      const answer = await fetch(`${await this.monitoringUrl()}${path}`);
      return ((await answer.json()) as { data: T }).data;
    } catch {
      // The process is being restarted; the caller asks again.
      return undefined;
    }
  }

  /** Makes the running process break itself in this way; resolves when it has begun. */
  async sabotage(order: SabotageOrder): Promise<void> {
    await this.monitoringUrl();
    writeFileSync(this.#ordersFile, JSON.stringify(order));
    const from = this.#lines.length;
    process.kill(this.pid ?? 0, "SIGUSR2");
    await eventually(
      "the sabotage begins",
      async () => this.#lines.slice(from).some(({ text }) => text === `sabotage: ${order.kind}`),
      10_000,
    );
  }

  get #ordersFile(): string {
    return join(this.#options.directory, "sabotage.json");
  }

  /** Ends the process as `kill -9` does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks the process to stop. @returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    return this.#end(signal);
  }

  /** Waits until the process ends by itself. @returns its exit code. */
  async ended(): Promise<number | null> {
    return (await this.end()).code;
  }

  /** Waits until the process ends by itself. */
  async end(): Promise<ProcessEnd> {
    const child = this.#child;
    if (!child) return { code: null, signal: null };
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return { code: child.exitCode, signal: child.signalCode };
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    return this.ended();
  }
}

/** Milliseconds of a clock that all processes of this machine share and that no clock step moves. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `question` returns a truthy value. Rejects after `timeoutMs`. */
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
