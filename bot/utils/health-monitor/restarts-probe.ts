/** Restarts probe: reports whether several processes before this one ended uncleanly. */
import type { Probe, ProbeResult } from "../../core/component.ts";

export interface SafeModeFigures {
  readonly state: "off" | "holding" | "watching";
  readonly deaths: number;
  readonly heldForMs: number;
}

export function restartsProbe(look: () => SafeModeFigures): Probe {
  return { name: "restarts", check: async () => judge(look()) };
}

function judge({ deaths, heldForMs, state }: SafeModeFigures): ProbeResult {
  const figures = { state, deaths, heldForMs: Math.round(heldForMs) };
  if (state === "off") return { status: "healthy", figures };
  const reason =
    state === "holding"
      ? `safe mode: ${deaths} unclean ends in a row, work is held back`
      : "safe mode: work goes on, watched for ten minutes";
  return { status: "degraded", reason, figures };
}
