/**
 * Ensure: finds or starts a sandbox on a port.
 *
 * A started sandbox is a detached process. It survives a SIGKILL of the bot, so that a conversation goes
 * on after a crash, and ends by itself after half an hour without a request.
 */
import { type ChildProcess, spawn } from "node:child_process";
import module from "node:module";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { SandboxDescription } from "./control-api.ts";

export interface EnsureOptions {
  /** 0: a free one. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** More arguments for the program, such as `--flood off`. Not used when one is running already. */
  readonly arguments?: readonly string[];
}

export interface EnsuredSandbox {
  /** Base address, without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** Whether this call started it. */
  readonly started: boolean;
  /** Ends it if this call started it; otherwise does nothing. */
  stop(): Promise<void>;
}

/** Another program has the port, or the sandbox did not come up. */
export class SandboxUnavailableError extends Error {
  override readonly name = "SandboxUnavailableError";
  readonly port: number;

  constructor(port: number, message: string) {
    super(message);
    this.port = port;
  }
}

const idleMinutes = 30;
const startMsMax = 15_000;

/** Rejects with `SandboxUnavailableError`. */
export async function ensureSandbox(options: EnsureOptions): Promise<EnsuredSandbox> {
  const { port } = options;
  const host = options.host ?? "127.0.0.1";
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const running = port === 0 ? undefined : await ask(url, port);
  if (running) return ensured(url, running);

  const child = spawnSandbox(host, port, options.arguments ?? []);
  const started = await greeting(child);
  if (started) return ensured(started.url, started, child);
  // Another caller's may have come up on this port first.
  const other = port === 0 ? undefined : await ask(url, port);
  if (other) return ensured(url, other);
  throw new SandboxUnavailableError(
    port,
    `the sandbox did not come up on port ${port}; run \`npm run sandbox -- --port ${port}\` to see why`,
  );
}

/** @param child The process, when this call has started it. */
function ensured(url: string, { token }: SandboxDescription, child?: ChildProcess): EnsuredSandbox {
  return {
    url,
    token,
    started: child !== undefined,
    stop: async () => {
      if (child) await end(url, child);
    },
  };
}

function spawnSandbox(host: string, port: number, more: readonly string[]): ChildProcess {
  // The published package has JavaScript beside this file, because Node strips no types there.
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
  const main = fileURLToPath(new URL(`./main${extension}`, import.meta.url));
  const settings = ["--host", host, "--port", String(port)];
  const idle = ["--exit-when-idle-minutes", String(idleMinutes)];
  const child = spawn(
    process.execPath,
    ["--disable-sigusr1", main, ...settings, ...idle, ...more],
    {
      detached: true,
      env: { ...process.env, ...compileCache() },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      windowsHide: true,
    },
  );
  child.unref();
  return child;
}

/** Where this process keeps compiled code, for the sandbox too: it halves the work of a start. */
function compileCache(): { NODE_COMPILE_CACHE?: string } {
  // Node.js answers with the folder of its own version.
  const directory = module.getCompileCacheDir?.();
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}

/** What a started sandbox says when it listens; `undefined` when it ends or is silent instead. */
async function greeting(child: ChildProcess): Promise<SandboxDescription | undefined> {
  const { promise, resolve } = Promise.withResolvers<SandboxDescription | undefined>();
  const tooLate = setTimeout(() => {
    child.kill();
    resolve(undefined);
  }, startMsMax);
  child.once("message", (description) => resolve(description as SandboxDescription));
  child.once("error", () => resolve(undefined));
  child.once("exit", () => resolve(undefined));
  const description = await promise;
  clearTimeout(tooLate);
  if (child.connected) child.disconnect();
  return description;
}

/** The sandbox that answers at this address, or undefined when nothing listens there. */
async function ask(url: string, port: number): Promise<SandboxDescription | undefined> {
  let description: Partial<SandboxDescription>;
  try {
    const response = await fetch(`${url}/sandbox`, { signal: AbortSignal.timeout(3_000) });
    description = (await response.json()) as Partial<SandboxDescription>;
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw taken(port);
  }
  if (description.sandbox !== "telegram-bot-api") throw taken(port);
  return description as SandboxDescription;
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

function taken(port: number): SandboxUnavailableError {
  return new SandboxUnavailableError(
    port,
    `port ${port} is in use by another program, not by a sandbox; stop that program or choose another port`,
  );
}

async function end(url: string, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.ref();
  try {
    await fetch(`${url}/sandbox/stop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
      signal: AbortSignal.timeout(3_000),
    });
  } catch {
    // It does not answer (an outage, a hang), so a signal ends it.
    child.kill("SIGTERM");
  }
  await exited;
}

/** A port that was free a moment ago. */
export async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
