/** Components probe: reports whether every component is working. */
import type { Probe, ProbeResult } from "../../core/component.ts";

export interface ComponentFigures {
  readonly name: string;
  readonly state: "alive" | "stuck" | "restarting";
  readonly restarts: number;
}

export function componentsProbe(look: () => readonly ComponentFigures[]): Probe {
  return { name: "components", check: async () => judge(look()) };
}

function judge(components: readonly ComponentFigures[]): ProbeResult {
  const restarts = components.reduce((sum, one) => sum + one.restarts, 0);
  const figures = { components: components.length, restarts };
  const troubled = components.filter(({ state }) => state !== "alive");
  if (troubled.length === 0) return { status: "healthy", figures };
  const named = troubled.map(({ name, state }) => `${name} is ${state}`).join(", ");
  return { status: "degraded", reason: named, figures };
}
