/**
 * Log disk: makes the calls by which log lines reach the disk, and shows how much it has written.
 */
import * as fs from "node:fs";
import { join } from "node:path";

type Written<T> = (error: NodeJS.ErrnoException | null, bytes: number, content: T) => void;
type Content = NodeJS.ArrayBufferView;

/** The calls a file stream makes, as in `node:fs`; tests replace them with slow ones. */
export interface LogDisk {
  open: typeof fs.open;
  close: typeof fs.close;
  write(
    file: number,
    content: Content,
    offset: number,
    length: number,
    position: number | null,
    done: Written<Content>,
  ): void;
  writev(
    file: number,
    content: readonly Content[],
    position: number,
    done: Written<readonly Content[]>,
  ): void;
}

export const realDisk: LogDisk = fs;

/**
 * Returns the same disk, which now reports the bytes it has written. A rotating stream hides its
 * back-pressure, so this is the only reliable place to measure it.
 */
export function watchDisk(disk: LogDisk, onTaken: (bytes: number) => void): LogDisk {
  const watch =
    <T>(done: Written<T>): Written<T> =>
    (error, bytes, content) => {
      done(error, bytes, content);
      if (!error) onTaken(bytes);
    };
  return {
    open: disk.open,
    close: disk.close,
    write: (file, content, offset, length, position, done) =>
      disk.write(file, content, offset, length, position, watch(done)),
    writev: (file, content, position, done) => disk.writev(file, content, position, watch(done)),
  };
}

/** A write of this size is enough to notice a full disk. */
const probeBytes = 4_096;

/** Whether a few kilobytes can be written to the directory and synced to the disk. */
export function takesData(directory: string): boolean {
  const path = join(directory, ".probe");
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = fs.openSync(path, "w", 0o600);
    try {
      fs.writeSync(file, Buffer.alloc(probeBytes));
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.rmSync(path);
    return true;
  } catch {
    // The disk is still full or the directory is gone; the next attempt may succeed.
    return false;
  }
}
