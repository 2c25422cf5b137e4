/** Log level: how much a line of the log matters. */

export type LogLevel = "error" | "warn" | "info" | "debug";

/** The most important first. */
export const logLevels: readonly LogLevel[] = ["error", "warn", "info", "debug"];
