/** Tools: what some faults need of the machine, and why they are skipped where it is missing. */
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
    return status === 0 ? undefined : "strace is not installed, or may not trace";
  },
  faketime: () => (faketimeLibrary ? undefined : "libfaketime is not installed"),
  tmpfs: () => {
    const directory = mkdtempSync(join(tmpdir(), "drill-tmpfs-"));
    try {
      mountTmpfs(directory, 1)();
      return undefined;
    } catch {
      return "a file system of its own cannot be mounted (needs root)";
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
      return "there is no memory cgroup (version 1) to write to";
    }
  },
};

const known = new Map<Tool, string | undefined>();

/** Why the tool cannot be used here; `undefined` when it can. Asked once. */
export function whyMissing(tool: Tool): string | undefined {
  if (!known.has(tool)) known.set(tool, checks[tool]());
  return known.get(tool);
}

/** Mounts a file system that is soon full. @returns what takes it away again. */
export function mountTmpfs(directory: string, megabytes: number): () => void {
  mkdirSync(directory, { recursive: true });
  run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory]);
  return () => run("umount", ["-l", directory]);
}

/** Lets a mounted file system take nothing any more, or take it again. */
export function remount(directory: string, mode: "ro" | "rw"): void {
  run("mount", ["-o", `remount,${mode}`, directory]);
}

/** A group of processes with little memory, which the kernel enforces. */
export class MemoryGroup {
  readonly #directory: string;

  constructor(megabytes: number) {
    this.#directory = mkdtempSync(join(cgroupRoot, "drill-"));
    writeFileSync(join(this.#directory, "memory.limit_in_bytes"), String(megabytes * 2 ** 20));
  }

  add(pid: number): void {
    writeFileSync(join(this.#directory, "cgroup.procs"), String(pid));
  }

  /** Only when nothing lives in it any more. */
  remove(): void {
    rmdirSync(this.#directory);
  }
}

function run(command: string, argumentsOf: readonly string[]): void {
  const { error, status, stderr } = spawnSync(command, argumentsOf, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
