/** Log disk: the few calls by which log lines reach the disk, and how far it is behind. */
import * as fs from "node:fs";
import { join } from "node:path";

type Written<T> = (error: NodeJS.ErrnoException | null, bytes: number, content: T) => void;
type Content = NodeJS.ArrayBufferView;

/** What a file stream calls, as in `node:fs`; replaced by tests to be slow. */
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
 * The same disk, telling how many bytes it has taken. A rotating stream hides its own back-pressure,
 * and this is where the truth is.
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

/** Enough to notice a full disk. */
const probeBytes = 4_096;

/** Whether the directory takes a few kilobytes, down to the disk. */
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
    // Still full, or gone: the next look may find it mended.
    return false;
  }
}
