/** Compile cache: tests that a start finds our TypeScript compiled, in each thread. */
import { execFileSync } from "node:child_process";
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
