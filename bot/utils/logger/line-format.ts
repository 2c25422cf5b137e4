/**
 * Line format: how a line of the log is written, for machines and for people.
 *
 * One line whatever is in it: nothing that steers a terminal or pretends to be another line.
 */
import { styleText } from "node:util";
import type { LogLevel } from "../../core/log-level.ts";

/** A line, redacted: plain data. */
export type LogLine = Readonly<Record<string, unknown>> & {
  /** As in ISO 8601, UTC. */
  readonly at: string;
  readonly level: LogLevel;
  readonly event: string;
};

/** Control characters that JSON leaves alone (C1) could steer a terminal. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * "12:03:04.123 WARN  intake.failed {…}", for people.
 *
 * @param colours Whether the terminal shows them.
 */
export function toReadable({ at, level, event, ...rest }: LogLine, colours: boolean): string {
  const shown = level.toUpperCase().padEnd(5);
  const style = level === "error" ? "red" : "yellow";
  const painted = colours ? styleText(style, shown, { validateStream: false }) : shown;
  return `${String(at).slice(11, 23)} ${painted} ${event} ${toJson(rest)}`;
}
