/**
 * Tests in two projects: `quick` starts no bot, and its files share a process; `whole` starts real
 * processes, and each file has a worker of its own.
 */
import { statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Rules, components, storage, sandbox. */
const quick = [
  "api",
  "config",
  "core",
  "kit",
  "lab/history",
  "sandbox",
  "shop",
  "storage",
  "support",
  "telegram",
  "telemetry",
  "utils",
].map((folder) => `tests/${folder}/**/*.test.ts`);

/**
 * The longest files, in the order in which they begin: begun last, one would keep everything waiting.
 * Faults need the processors, so what mostly waits runs beside them; the simulation comes after that.
 */
const longest = [
  "end-to-end/faults.test.ts",
  "end-to-end/network.test.ts",
  "end-to-end/flood.test.ts",
  "lab/simulation/simulation.test.ts",
  "deployment/update.test.ts",
  "lab/simulation/planted-bugs.test.ts",
  "end-to-end/hang.test.ts",
  "deployment/life.test.ts",
  "end-to-end/kill.test.ts",
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

/** A memory file system: tests of the quick project lose no power, so no sync has to reach a disk. */
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

export default defineConfig({
  test: {
    // Real processes are started, killed and started again: the machine decides how long that takes.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    // Node strips the types itself, as it does for the bot: a fifth less work than through Vite.
    experimental: { viteModuleRunner: false },
    // Tests of the real process run one file at a time: beside another file a start takes so long that
    // kills meet mostly starts, and the aims of the drill are missed. `test:quick` uses both processors.
    maxWorkers: 1,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "quick",
          include: quick,
          isolate: false,
          ...(hasRoom(memoryDirectory) && { env: { TMPDIR: memoryDirectory } }),
        },
      },
      {
        extends: true,
        test: { name: "whole", include: ["tests/**/*.test.ts"], exclude: quick },
      },
    ],
  },
});
