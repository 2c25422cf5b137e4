/**
 * Tests in four projects. `quick` starts no bot, its files share a process, and all of it takes less than a
 * minute; `thorough` is the same for files that play many worlds, move databases or open pages. `whole`
 * starts real processes, three files at a time. `alone` judges by the clock of real processes, or kills
 * them while they work: beside other files its starts take too long, and kills meet mostly starts.
 */
import { statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Rules, components, storage, sandbox. */
const components = [
  "api",
  "config",
  "core",
  "kit",
  "lab/bench",
  "lab/history",
  "sandbox",
  "shop",
  "storage",
  "support",
  "telegram",
  "telemetry",
  "utils",
].map((folder) => `tests/${folder}/**/*.test.ts`);

/** Of these, the files that take nine seconds and more. */
const thorough = [
  "kit/session",
  "sandbox/foreign-clients",
  "sandbox/fuzz",
  "sandbox/methods/conformance",
  "sandbox/page",
  "sandbox/page-offers",
  "sandbox/text-model",
  "shop/campaigns/crash",
  "shop/commands/bad-input",
  "shop/shop-invariants",
  "storage/move/move-data",
  "storage/postgres/key-rotation",
  "storage/postgres/postgres-store",
  "storage/postgres/several-processes",
  "storage/sqlite/backup",
  "storage/sqlite/sealed-store",
  "storage/sqlite/sqlite-store",
  "telegram/context/durability",
  "telegram/context/message-references",
  "telegram/context/recorded-files",
  "utils/logger/logger-redaction",
].map((name) => `tests/${name}.test.ts`);

/** Files that need the machine for themselves. */
const alone = [
  "documents",
  "end-to-end/flood-rate",
  "end-to-end/kill",
  "end-to-end/production-profile",
].map((name) => `tests/${name}.test.ts`);

/**
 * The longest files, in the order in which they begin: begun last, one would keep everything waiting.
 * What mostly waits comes first, because it leaves the processors to the files beside it.
 */
const longest = [
  "telegram/context/message-references.test.ts",
  "storage/move/move-data.test.ts",
  "storage/postgres/several-processes.test.ts",
  "storage/postgres/key-rotation.test.ts",
  "end-to-end/flood.test.ts",
  "end-to-end/faults.test.ts",
  "deployment/update.test.ts",
  "lab/simulation/simulation.test.ts",
  "examples/crash-test.test.ts",
  "examples/kills.test.ts",
  "end-to-end/hang.test.ts",
  "deployment/life.test.ts",
  "deployment/machines.test.ts",
  "end-to-end/network.test.ts",
  "end-to-end/machines-drill.test.ts",
  "deployment/refusals.test.ts",
  "end-to-end/dashboard.test.ts",
  "end-to-end/start-and-stop.test.ts",
  "end-to-end/hardships.test.ts",
  "end-to-end/bring-a-bot.test.ts",
  "end-to-end/chat-page.test.ts",
  "extending.test.ts",
  "end-to-end/move.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.endsWith(`tests/${name}`));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** A memory file system: tests of components lose no power, so no sync has to reach a disk. */
const memoryDirectory = "/dev/shm";
const roomBytesMin = 512 * 2 ** 20;

function hasRoom(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize > roomBytesMin;
  } catch {
    return false;
  }
}

/** Half of their time they wait: for a disk, a browser, a database. */
const sharedProcess = {
  isolate: false,
  maxWorkers: 4,
  ...(hasRoom(memoryDirectory) && { env: { TMPDIR: memoryDirectory } }),
};

export default defineConfig({
  test: {
    // Real processes are started, killed and started again: the machine decides how long that takes.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
    pool: "forks",
    // Node.js need not strip the types of what it has stripped before.
    execArgv: [`--import=${new URL("./bot/core/compile-cache.js", import.meta.url)}`],
    // Node strips the types itself, as it does for the bot: a fifth less work than through Vite.
    experimental: { viteModuleRunner: false },
    maxWorkers: 2,
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { ...sharedProcess, name: "quick", include: components, exclude: thorough },
      },
      { extends: true, test: { ...sharedProcess, name: "thorough", include: thorough } },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["tests/**/*.test.ts"],
          exclude: [...components, ...alone],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
