/** Clock probe: reports whether the wall clock has been set since the start. */
import type { Clock } from "../../core/clock.ts";
import type { Probe } from "../../core/component.ts";

/** A smaller step is ordinary clock synchronisation. */
const stepMsMax = 5_000;
/** Milliseconds for which a step is reported. */
const rememberedMs = 3_600_000;

export function clockProbe(clock: Clock): Probe {
  let offsetMs = clock.epochMs() - clock.monotonicMs();
  let steppedAtMs: number | undefined;
  let stepMs = 0;
  return {
    name: "clock",
    check: async () => {
      const nowMs = clock.monotonicMs();
      const drift = clock.epochMs() - nowMs - offsetMs;
      if (Math.abs(drift) > stepMsMax) {
        stepMs = Math.round(drift);
        steppedAtMs = nowMs;
        offsetMs += drift;
      }
      const figures = { stepMs: steppedAtMs === undefined ? 0 : stepMs };
      if (steppedAtMs === undefined || nowMs - steppedAtMs > rememberedMs) {
        return { status: "healthy", figures };
      }
      const reason = `the wall clock was moved by ${stepMs} ms; nothing depends on it`;
      return { status: "degraded", reason, figures };
    },
  };
}
