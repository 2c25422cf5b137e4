/**
 * Latest lines: the last warnings and errors, and whoever wants to hear every line as it is written.
 *
 * Bounded, and of no consequence for the log: a listener that throws hears nothing more, and what is
 * logged while listeners are told is not told to them, so that none of them can go round in circles.
 */
import { BotError } from "../../core/errors.ts";
import { Ring } from "../../core/ring.ts";
import type { LogLine } from "./line-format.ts";

export type LineListener = (line: LogLine) => void;

/** There are as many listeners to the log as there may be. */
export class LogListenersFullError extends BotError {
  override readonly code = "LOG_LISTENERS_FULL";
  override readonly transient = true;
}

const keptMax = 500;
const listenersMax = 100;

export class LatestLines {
  readonly #kept = new Ring<LogLine>(keptMax);
  readonly #listeners = new Set<{ readonly tell: LineListener }>();
  #telling = false;

  /** @returns what listeners threw; they are gone. */
  add(line: LogLine): readonly unknown[] {
    if (line.level === "error" || line.level === "warn") this.#kept.push(line);
    if (this.#telling) return [];
    this.#telling = true;
    const thrown: unknown[] = [];
    for (const listener of this.#listeners) {
      try {
        listener.tell(line);
      } catch (error) {
        this.#listeners.delete(listener);
        thrown.push(error);
      }
    }
    this.#telling = false;
    return thrown;
  }

  /** Latest first. */
  tail(limit: number): readonly LogLine[] {
    return this.#kept.latest(limit);
  }

  /** @returns what ends it. @throws LogListenersFullError. */
  subscribe(tell: LineListener): () => void {
    if (this.#listeners.size >= listenersMax) {
      throw new LogListenersFullError(`${listenersMax} listeners hear the log already`, {
        hint: "Close a live view of the log that nobody looks at.",
      });
    }
    const listener = { tell };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
