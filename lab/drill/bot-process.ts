/** Bot process: the real `bot/start.ts`, started, killed and started again by the drill and by tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SabotageOrder } from "./sabotage.ts";

const startFile = fileURLToPath(new URL("../../bot/start.ts", import.meta.url));
const sabotageFile = fileURLToPath(new URL("./sabotage.ts", import.meta.url));
const pinnedNode = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));

/** The Node.js that `npm start` uses. */
export const node = existsSync(pinnedNode) ? pinnedNode : process.execPath;

export interface BotProcessOptions {
  /** Holds `data`, `logs` and the orders of sabotage. */
  readonly directory: string;
  readonly apiRoot: string;
  readonly token: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to run. Default: `bot/start.ts`. */
  readonly file?: string;
  /** Options of Node.js, such as `--max-old-space-size=64`. Default: none. */
  readonly nodeOptions?: readonly string[];
  /** Whether it takes orders of sabotage. Default true. */
  readonly sabotaged?: boolean;
}

/** A line that a process wrote. */
export interface OutputLine {
  /** Of the drill's clock, see `nowMs`. */
  readonly atMs: number;
  readonly text: string;
}

/** How a process ended; of both one is null. */
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
  /** Of the present process, once it has said so. */
  #monitoringUrl: string | undefined;
  /** Of the present process alone, until it has said where its API is. */
  #said = "";
  #lines: OutputLine[] = [];

  constructor(options: BotProcessOptions) {
    this.#options = options;
    this.#env = options.env ?? {};
  }

  /** The end of what the processes have written so far. */
  get output(): string {
    return this.#output;
  }

  /** The same by line, oldest first. */
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

  /** Changes the environment of the processes to come. */
  setEnv(env: Readonly<Record<string, string>>): void {
    this.#env = { ...this.#env, ...env };
  }

  /** Program and arguments, the file last. */
  get command(): readonly string[] {
    const { file = startFile, nodeOptions = [], sabotaged = true } = this.#options;
    const preload = sabotaged ? ["--import", pathToFileURL(sabotageFile).href] : [];
    return [node, ...nodeOptions, ...preload, file];
  }

  /** What the process finds in its environment, and nothing else. */
  get environment(): NodeJS.ProcessEnv {
    const { apiRoot, directory, token } = this.#options;
    return {
      PATH: process.env["PATH"],
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
    // Kept apart from the output, which rolls on.
    if (this.#monitoringUrl === undefined) {
      this.#said = (this.#said + text).slice(-outputCharactersMax);
      this.#monitoringUrl = /Health: (http:\S+)\/api\/health/.exec(this.#said)?.[1];
    }
    for (const line of text.split("\n")) if (line !== "") this.#lines.push({ atMs, text: line });
    if (this.#lines.length > linesMax) this.#lines = this.#lines.slice(-linesMax / 2);
  }

  /** Base address of its monitoring API, once it has said so; a supervisor may start it meanwhile. */
  async monitoringUrl(): Promise<string> {
    for (let endedFor = 0, tries = 0; tries < 600 && endedFor < 100; tries++) {
      if (this.#monitoringUrl !== undefined && this.running) return this.#monitoringUrl;
      endedFor = this.running ? 0 : endedFor + 1;
      await pause(50);
    }
    throw new Error(`the bot did not come up: ${this.#output.slice(-2_000)}`);
  }

  /** What its monitoring API shows at this path; `undefined` while it shows nothing. */
  async ask<T>(path: string): Promise<T | undefined> {
    try {
      const answer = await fetch(`${await this.monitoringUrl()}${path}`);
      return ((await answer.json()) as { data: T }).data;
    } catch {
      // The process is between two lives, or busy dying: whoever asks asks again.
      return undefined;
    }
  }

  /** Has the running process break itself in this way; resolves when it has begun. */
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
    return (await this.end()).code;
  }

  /** Waits until it ends by itself. */
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

/** Milliseconds of a clock that all processes of this machine share, and no clock step moves. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
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
