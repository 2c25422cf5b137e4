/** Restarts probe: reports whether several processes before this one ended uncleanly. */
import type { Probe, ProbeResult } from "../../core/component.ts";

export interface SafeModeFigures {
  readonly state: "off" | "careful" | "watching";
  readonly deaths: number;
  readonly concurrency: number;
}

export function restartsProbe(look: () => SafeModeFigures): Probe {
  return { name: "restarts", check: async () => judge(look()) };
}

function judge({ concurrency, deaths, state }: SafeModeFigures): ProbeResult {
  const figures = { state, deaths, ...(state === "careful" && { concurrency }) };
  if (state === "off") return { status: "healthy", figures };
  const reason =
    state === "careful"
      ? `safe mode: ${deaths} unclean ends in a row, so ${concurrency} at a time`
      : `safe mode: ${deaths} unclean ends in a row, watched for ten minutes`;
  return { status: "degraded", reason, figures };
}
