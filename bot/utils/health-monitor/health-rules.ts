/**
 * Health: decides when a probe's answers change the verdict on a part.
 *
 *   verdict --worse answer, `worsenAfter` in a row--> the best of these
 *           --better answer, `improveAfter` in a row--> the worst of these
 *
 * Bad answers are believed sooner than good ones, so a part on the edge does not flap. Pure.
 */
import type { ProbeResult } from "../../core/component.ts";

export type Health = ProbeResult["status"];

export const severity: Readonly<Record<Health, number>> = {
  healthy: 0,
  degraded: 1,
  unhealthy: 2,
};

/** Number of answers in a row that change a verdict. */
export interface Hysteresis {
  readonly worsenAfter: number;
  readonly improveAfter: number;
}

export interface HealthVerdict {
  readonly status: Health;
  /** The latest answers that all say worse, or all say better. */
  readonly dissent: readonly Health[];
}

/**
 * Returns the verdict after an answer.
 *
 * @param before `undefined` for the first answer, which is believed at once.
 */
export function nextVerdict(
  before: HealthVerdict | undefined,
  answer: Health,
  { improveAfter, worsenAfter }: Hysteresis,
): HealthVerdict {
  if (!before) return { status: answer, dissent: [] };
  const { status } = before;
  const worse = severity[answer] > severity[status];
  if (answer === status) return { status, dissent: [] };
  const sameSide = before.dissent.filter((one) => severity[one] > severity[status] === worse);
  const dissent = [...(sameSide.length === before.dissent.length ? sameSide : []), answer];
  if (dissent.length < (worse ? worsenAfter : improveAfter)) return { status, dissent };
  const [first = answer, ...others] = dissent;
  const mildest = (one: Health, other: Health) => {
    const nearer = worse ? severity[other] < severity[one] : severity[other] > severity[one];
    return nearer ? other : one;
  };
  return { status: others.reduce(mildest, first), dissent: [] };
}
