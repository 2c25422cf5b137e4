/** Compile cache: tests that a start finds our TypeScript compiled, in each thread. */
import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { node, startOptions } from "../../lab/drill/bot-process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Prints how many threads have loaded Node.js's TypeScript compiler, of one and its worker. */
const program = `
import { once } from "node:events";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
await import("${new URL("../../bot/core/loop.ts", import.meta.url)}");
const loaded = process.moduleLoadList.some((name) => name.includes("deps/amaro"));
if (isMainThread) {
  const self = new URL("data:text/javascript," + encodeURIComponent(process.env.PROGRAM));
  const [alsoLoaded] = await once(new Worker(self, { env: {} }), "message");
  console.log(Number(loaded) + Number(alsoLoaded));
} else parentPort.postMessage(loaded);
`;

function compilersLoaded(options: readonly string[]): number {
  const words = [...options, "--input-type=module", "--eval", program];
  return Number(
    execFileSync(node, words, { cwd: root, encoding: "utf8", env: { PROGRAM: program } }),
  );
}

test("what `npm start` gives to Node.js spares both threads the TypeScript compiler", () => {
  expect(startOptions).toContain("--import=./bot/core/compile-cache.js");
  // The first one may have to compile.
  compilersLoaded(startOptions);
  expect(compilersLoaded(startOptions)).toBe(0);
  expect(compilersLoaded([])).toBe(2);
});

/** Starts the watchdog, which nothing else loads, and goes on until it is killed. */
const watched = `
import { systemClock } from "${new URL("../../bot/core/clock.ts", import.meta.url)}";
import { Watchdog } from "${new URL("../../bot/utils/process-monitor/watchdog.ts", import.meta.url)}";
const directory = ${JSON.stringify(tmpdir())};
await new Watchdog({ clock: systemClock, publish() {}, directory, killAfterMs: 60_000 }).start();
setInterval(() => {}, 1_000);
`;

/** Kills the process once it has said this, or after some seconds. @returns what it said until then. */
async function saidUntil(
  pattern: RegExp,
  options: readonly string[],
  seconds: number,
): Promise<string> {
  const words = [...startOptions, ...options, "--input-type=module", "--eval", watched];
  const env = { NODE_DEBUG_NATIVE: "COMPILE_CACHE" };
  const child = spawn(node, words, { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1_000);
  for await (const text of child.stderr) {
    said += text;
    if (pattern.test(said)) child.kill("SIGKILL");
  }
  clearTimeout(timer);
  return said;
}

test("a process that only ever dies of kill -9 still compiles its watchdog once", async () => {
  // V8's code fits only the options it was compiled with, so these have a cache of their own.
  const options = [`--stack-size=${900 + Math.floor(Math.random() * 80)}`];
  const first = await saidUntil(/flushCompileCache\(\) finished/, options, 5);
  const second = await saidUntil(/transpile cache for \S+ \S+watchdog-worker\.ts/, options, 10);
  const [, directory] = /resolved path .* -> (\S+)/.exec(first) ?? [];
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });

  expect(second).toMatch(/retrieving transpile cache for \S+ \S+watchdog-worker\.ts/);
});
