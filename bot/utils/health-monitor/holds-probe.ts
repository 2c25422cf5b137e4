/** Holds probe: reports work that has waited for long because something holds it back. */
import { formatInstant } from "../../core/clock.ts";
import type { Probe, ProbeResult } from "../../core/component.ts";
import { longWaitMs, type WaitingHold } from "../../core/holds.ts";

export function holdsProbe(look: () => Promise<readonly WaitingHold[]>): Probe {
  return { name: "holds", check: async () => judge(await look()) };
}

function judge(holds: readonly WaitingHold[]): ProbeResult {
  const long = holds.filter(({ waitedMs }) => waitedMs > longWaitMs);
  const waitedMs = Math.max(0, ...holds.map((hold) => hold.waitedMs));
  const figures = { holds: holds.length, long: long.length, waitedMs };
  const worst = long.toSorted((a, b) => b.waitedMs - a.waitedMs)[0];
  if (!worst) return { status: "healthy", figures };
  const what = worst.lane === undefined ? worst.target : "a chat";
  const said = [
    `${what} is held back (${worst.kind}): ${worst.reason}`,
    ...(worst.untilEpochMs === null ? [] : [`until ${formatInstant(worst.untilEpochMs)}`]),
    ...(long.length > 1 ? [`${long.length - 1} more at /api/holds`] : []),
  ];
  return { status: "degraded", reason: said.join("; "), figures };
}
