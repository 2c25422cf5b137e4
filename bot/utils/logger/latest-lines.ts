/**
 * Latest lines: keeps the latest warnings and errors, and passes every line on to listeners.
 *
 * Bounded, and unable to harm the log: a listener that throws is removed, and lines logged while
 * listeners are being called are not passed on, so that no listener can cause an endless loop.
 */
import { BotError } from "../../core/errors.ts";
import { Ring } from "../../core/ring.ts";
import type { LogLine } from "./line-format.ts";

export type LineListener = (line: LogLine) => void;

/** The log already has as many listeners as are allowed. */
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

  /** @returns the errors that listeners threw; those listeners have been removed. */
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

  /** Returns the latest lines, newest first. */
  tail(limit: number): readonly LogLine[] {
    return this.#kept.latest(limit);
  }

  /** @returns a function that unsubscribes. @throws LogListenersFullError. */
  subscribe(tell: LineListener): () => void {
    if (this.#listeners.size >= listenersMax) {
      throw new LogListenersFullError(`the log already has ${listenersMax} listeners`, {
        hint: "Close a live view of the log that is no longer needed.",
      });
    }
    const listener = { tell };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
