/**
 * Bounded output: writes to a console, and drops and counts lines instead of buffering without
 * limit when the console is not read.
 *
 * Owns the `error` listener of its stream: a closed console must not end the process.
 */
import type { Writable } from "node:stream";

/** Bytes the console may lag behind before lines are dropped. */
const backlogBytesMax = 1024 * 1024;

export class BoundedOutput {
  readonly #stream: Writable;
  #drops = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  }

  /** Lines dropped since the start. */
  get drops(): number {
    return this.#drops;
  }

  /**
   * Writes the text, or drops it when a console that is not read (a frozen PM2) is too far behind.
   */
  write(text: string): void {
    const behind = this.#stream.writableLength > backlogBytesMax;
    if (behind || !this.#stream.writable) this.#drops++;
    else this.#stream.write(text);
  }

  /**
   * Resolves when everything written has reached the console; never, if the console is not read.
   */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#stream.write("", () => resolve()));
  }
}

/** Ignores errors such as EPIPE: the log file still has the lines. */
function ignore(): void {}
