/** Exit codes of every program of ours, and what a program says when it ends. Source: BSD sysexits. */

export const exitCode = {
  stopped: 0,
  defect: 70,
  storage: 74,
  tryAgain: 75,
  configuration: 78,
};

/** The exit code of a program that this error stopped: that of its class, 70 for a defect. */
export function exitCodeOf(error: unknown): number {
  const known = error instanceof Error && "exitCode" in error ? error.exitCode : undefined;
  return typeof known === "number" ? known : exitCode.defect;
}

/** The error and its hint, for a terminal. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `failed: ${typeof error}`;
  const hint = "hint" in error && typeof error.hint === "string" ? `\n${error.hint}` : "";
  return `${error.message}${hint}`;
}
