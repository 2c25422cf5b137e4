/** Exit codes of every program of ours. Source: BSD sysexits. */

export const exitCode = { stopped: 0, defect: 70, storage: 74, tryAgain: 75, configuration: 78 };

const tryAgainCodes = ["API_REFUSED", "MONITORING_PORT_TAKEN", "STORAGE_IN_USE"];

/** What a program ends with when this stopped it. */
export function exitCodeOf(error: unknown): number {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("CONFIGURATION_") || code === "CATALOGUE_INVALID")
    return exitCode.configuration;
  if (tryAgainCodes.includes(code)) return exitCode.tryAgain;
  if (code.startsWith("STORAGE_")) return exitCode.storage;
  return exitCode.defect;
}

/** What went wrong and what can be done, for a terminal. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `failed: ${typeof error}`;
  const hint = "hint" in error && typeof error.hint === "string" ? `\n${error.hint}` : "";
  return `${error.message}${hint}`;
}
