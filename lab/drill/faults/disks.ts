/** Disks: faults of the disks for data and logs, such as full, read-only, slow or failing to sync. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, cpSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";
import type { Scene } from "../scene.ts";
import { mountTmpfs, remount } from "../tools.ts";

const common = {
  areas: ["integration", "endToEnd"],
  aim: "outage",
} as const satisfies Partial<DrillFault>;

const small = (name: "data" | "logs", megabytes: number) => ({
  prepare: (directory: string) => mountTmpfs(join(directory, name), megabytes),
});

/** Fills all the space that is left. */
function fill(directory: string): void {
  const file = openSync(join(directory, "filler"), "w");
  try {
    for (const size of [2 ** 16, 2 ** 12, 1]) writeUntilFull(file, Buffer.alloc(size));
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, piece: Buffer): void {
  try {
    for (;;) writeSync(file, piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

const free = (directory: string) => rmSync(join(directory, "filler"));

/** Makes the kernel fail or delay calls of the running process. Resolves once strace is attached. */
async function strace({ bot }: Scene, inject: string): Promise<ChildProcess> {
  const calls = inject.split(":")[0] ?? "";
  const child = spawn(
    "strace",
    ["-f", "-p", String(bot.pid), "-e", `trace=${calls}`, "-e", `inject=${inject}`],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-10_000);
  });
  await eventually("strace is attached", async () => said.includes("attached"), 10_000);
  return child;
}

let slowing: ChildProcess | undefined;
let kept = "";

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

const databaseFiles = ["bot.db", "bot.db-wal", "bot.db-shm"];

export const disks: readonly DrillFault[] = [
  {
    ...common,
    name: "data-disk-full",
    title: "the data disk is full",
    how: "a tmpfs of 16 MB, filled to the last byte",
    areas: ["queue", "health", "integration"],
    groups: ["T12"],
    needs: ["tmpfs"],
    setup: small("data", 16),
    detection: { by: "log", line: /STORAGE_FULL|queue\.commit-failed/ },
    lastsMs: 5_000,
    inject: async ({ directory }) => fill(join(directory, "data")),
    end: async ({ directory }) => free(join(directory, "data")),
  },
  {
    ...common,
    name: "data-read-only",
    title: "the data cannot be written at a restart",
    how: "a tmpfs, remounted read-only while the process is killed",
    needs: ["tmpfs"],
    setup: small("data", 32),
    detection: { by: "exit", code: 74 },
    inject: async (scene) => {
      await whileDead(scene, () => remount(join(scene.directory, "data"), "ro"));
    },
    end: async ({ directory }) => remount(join(directory, "data"), "rw"),
  },
  {
    ...common,
    name: "fsync-fails",
    title: "the disk fails to sync (EIO)",
    how: "strace -e inject=fsync,fdatasync:error=EIO",
    needs: ["strace"],
    detection: { by: "exit", code: 74 },
    aim: "kill",
    inject: async (scene) => {
      await strace(scene, "fsync,fdatasync:error=EIO");
    },
  },
  {
    ...common,
    name: "write-fails",
    title: "one write to the disk fails (EIO)",
    how: "strace -e inject=pwrite64:error=EIO:when=5",
    needs: ["strace"],
    detection: { by: "exit", code: 74 },
    aim: "kill",
    inject: async (scene) => {
      await strace(scene, "pwrite64:error=EIO:when=5");
    },
  },
  {
    ...common,
    name: "disk-slow",
    title: "every sync takes 300 ms",
    how: "strace -e inject=fsync,fdatasync:delay_exit=300000",
    needs: ["strace"],
    detection: { by: "nothing" },
    lastsMs: 5_000,
    inject: async (scene) => {
      slowing = await strace(scene, "fsync,fdatasync:delay_exit=300000");
    },
    end: async () => {
      slowing?.kill("SIGINT");
    },
  },
  {
    ...common,
    name: "log-disk-full",
    title: "the log disk is full",
    how: "a tmpfs of 1 MB, filled to the last byte",
    areas: ["logger"],
    needs: ["tmpfs"],
    // Level debug writes enough to the file; without writes a full disk is not noticed.
    setup: { ...small("logs", 1), env: { LOG_LEVEL: "debug" } },
    detection: { by: "log", line: /log\.file-failed/ },
    lastsMs: 5_000,
    inject: async ({ directory }) => fill(join(directory, "logs")),
    end: async ({ directory }) => free(join(directory, "logs")),
    afterwards: async ({ bot }) => {
      const restored = async () => bot.lines.some(({ text }) => text.includes("log.file-restored"));
      await eventually("the log is written again", restored, 15_000);
    },
  },
  {
    ...common,
    name: "database-corrupt",
    title: "the database is damaged",
    how: "some of its pages are overwritten while the process is dead; a backup is put back",
    needsHuman: true,
    detection: { by: "exit", code: 74 },
    inject: async (scene) => {
      await whileDead(scene, () => {
        const { botDirectory, directory } = scene;
        // Move everything into the one file, so that no other file has a copy of the damaged pages.
        const database = new DatabaseSync(join(botDirectory, "bot.db"));
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        database.close();
        cpSync(botDirectory, join(directory, "backup"), { recursive: true });
        for (const name of databaseFiles.slice(1))
          rmSync(join(botDirectory, name), { force: true });
        const file = openSync(join(botDirectory, "bot.db"), "r+");
        writeSync(file, Buffer.alloc(30_000, "garbage "), 0, 30_000, 5_000);
        closeSync(file);
        kept = hashOf(join(botDirectory, "bot.db"));
      });
    },
    end: async ({ bot, botDirectory, directory }) => {
      const now = hashOf(join(botDirectory, "bot.db"));
      if (now !== kept) throw new Error("the damaged file was overwritten");
      if (!/backup/.test(bot.output)) throw new Error("the output does not say what to do");
      for (const name of databaseFiles) rmSync(join(botDirectory, name), { force: true });
      cpSync(join(directory, "backup", "bot.db"), join(botDirectory, "bot.db"));
    },
  },
];

/** Kills the process, makes the change, and lets the next process start. */
export async function whileDead(scene: Scene, change: () => void | Promise<void>): Promise<void> {
  const { bot, supervisor } = scene;
  supervisor.hold();
  await bot.kill();
  await change();
  supervisor.release();
}
