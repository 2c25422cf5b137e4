/**
 * Line format: writes a log line for machines or for people.
 *
 * The result is always one line: it cannot steer a terminal or pretend to be another line.
 */
import { styleText } from "node:util";
import type { LogLevel } from "../../core/log-level.ts";

/** A redacted line: plain data. */
export type LogLine = Readonly<Record<string, unknown>> & {
  /** Time of the line, ISO 8601, UTC. */
  readonly at: string;
  readonly level: LogLevel;
  readonly event: string;
};

/**
 * Writes JSON and escapes the control characters it leaves alone (C1), which could steer a
 * terminal.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Writes a line for people: "12:03:04.123 WARN  intake.failed {…}".
 *
 * @param colours Whether the terminal shows them.
 */
export function toReadable({ at, level, event, ...rest }: LogLine, colours: boolean): string {
  const shown = level.toUpperCase().padEnd(5);
  const style = level === "error" ? "red" : "yellow";
  const painted = colours ? styleText(style, shown, { validateStream: false }) : shown;
  return `${String(at).slice(11, 23)} ${painted} ${event} ${toJson(rest)}`;
}
