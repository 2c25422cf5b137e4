/** File identity: tells whether a path still names the same file. */
import { statSync } from "node:fs";

/** @returns device and inode of the file at this path; `undefined` when there is none. */
export function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && `${stats.dev}:${stats.ino}`;
}
