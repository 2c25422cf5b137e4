/**
 * Bounded output: a console that costs lines when nobody reads it, counted, and never memory.
 *
 * Owns the `error` listener of its stream: a console that went away is none of our business.
 */
import type { Writable } from "node:stream";

/** Bytes the console may be behind before lines are dropped. */
const backlogBytesMax = 1024 * 1024;

export class BoundedOutput {
  readonly #stream: Writable;
  #drops = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  }

  /** Lines lost since the start. */
  get drops(): number {
    return this.#drops;
  }

  /** A console that is not read (a frozen PM2) would otherwise pile up in our memory. */
  write(text: string): void {
    const behind = this.#stream.writableLength > backlogBytesMax;
    if (behind || !this.#stream.writable) this.#drops++;
    else this.#stream.write(text);
  }

  /** Resolves when what was written is out; on a console that is not read, never. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#stream.write("", () => resolve()));
  }
}

/** EPIPE: the file has the lines. */
function ignore(): void {}
