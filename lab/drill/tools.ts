/** Tools: programs and rights that some faults need; without them a fault is skipped with a reason. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type Tool = "strace" | "faketime" | "tmpfs" | "cgroup" | "pm2";

const cgroupRoot = "/sys/fs/cgroup/memory";

export const faketimeLibrary = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
].find((path) => existsSync(path));

export const pm2File = fileURLToPath(new URL("../../node_modules/pm2/bin/pm2", import.meta.url));

const checks: Readonly<Record<Tool, () => string | undefined>> = {
  strace: () => {
    const { status } = spawnSync("strace", ["-qq", "-e", "trace=none", "true"]);
    return status === 0 ? undefined : "strace is not installed, or is not allowed to trace";
  },
  faketime: () => (faketimeLibrary ? undefined : "libfaketime is not installed"),
  tmpfs: () => {
    const directory = mkdtempSync(join(tmpdir(), "drill-tmpfs-"));
    try {
      mountTmpfs(directory, 1)();
      return undefined;
    } catch {
      return "a tmpfs cannot be mounted (this needs root)";
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
  pm2: () => (existsSync(pm2File) ? undefined : "PM2 is not installed in this project"),
  cgroup: () => {
    try {
      new MemoryGroup(64).remove();
      return undefined;
    } catch {
      return "there is no writable memory cgroup (version 1)";
    }
  },
};

const known = new Map<Tool, string | undefined>();

/** Why the tool is not available; `undefined` when it is. Checked once. */
export function whyMissing(tool: Tool): string | undefined {
  if (!known.has(tool)) known.set(tool, checks[tool]());
  return known.get(tool);
}

/** Mounts a small file system. @returns a function that unmounts it. */
export function mountTmpfs(directory: string, megabytes: number): () => void {
  mkdirSync(directory, { recursive: true });
  run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory]);
  return () => run("umount", ["-l", directory]);
}

/** Makes a mounted file system read-only, or writable again. */
export function remount(directory: string, mode: "ro" | "rw"): void {
  run("mount", ["-o", `remount,${mode}`, directory]);
}

/** A group of processes with a memory limit, which the kernel enforces. */
export class MemoryGroup {
  readonly #directory: string;

  constructor(megabytes: number) {
    this.#directory = mkdtempSync(join(cgroupRoot, "drill-"));
    writeFileSync(join(this.#directory, "memory.limit_in_bytes"), String(megabytes * 2 ** 20));
  }

  add(pid: number): void {
    writeFileSync(join(this.#directory, "cgroup.procs"), String(pid));
  }

  /** Removes the group. Call it only when its processes have ended. */
  remove(): void {
    rmdirSync(this.#directory);
  }
}

function run(command: string, argumentsOf: readonly string[]): void {
  const { error, status, stderr } = spawnSync(command, argumentsOf, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
