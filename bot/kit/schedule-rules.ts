/**
 * Schedule rules: which instant of a schedule a message of the queue stands for, and which one is next.
 *
 *   missed    what happens to instants that passed while nothing could run them
 *   `once`    they are one run, for the latest of them
 *   `skip`    they are left out; one that is at most a minute late still runs
 *   `all`     each of them runs, one after another
 *
 * The decision is made once for a message and kept with it, so every attempt runs the same instant.
 */

/** The policy for instants that were missed. */
export type MissedPolicy = "once" | "skip" | "all";

export const missedPolicies: readonly MissedPolicy[] = ["once", "skip", "all"];

/** The instants at which a schedule is due, in milliseconds since the epoch. */
export interface DueInstants {
  /** The first one after this instant; `undefined`: there is none any more. */
  next(afterEpochMs: number): number | undefined;
  /** The latest one at this instant or before; `undefined`: there is none. */
  latest(atEpochMs: number): number | undefined;
}

export interface DueDecision {
  /** The instant that is run; `undefined`: none. */
  readonly dueAtEpochMs: number | undefined;
  /** The first missed instant that this run stands for as well; `undefined`: none was missed. */
  readonly missedFromEpochMs: number | undefined;
  /** The instant of the message that follows; `undefined`: there is none any more. */
  readonly nextEpochMs: number | undefined;
}

/** Milliseconds by which a run may be late before `skip` leaves it out: a restart takes less. */
export const lateMsMax = 60_000;

/** Instants that are not run. */
export interface LeftOut {
  /** The first of them. */
  readonly fromEpochMs: number;
  /** The first instant after them; `undefined`: there is none any more. */
  readonly beforeEpochMs: number | undefined;
}

/**
 * The instants that a decision leaves out; `undefined`: none.
 *
 * @param queuedForEpochMs The instant for which the message was queued.
 */
export function leftOut(
  queuedForEpochMs: number,
  { dueAtEpochMs, nextEpochMs }: DueDecision,
  instants: DueInstants,
): LeftOut | undefined {
  if (dueAtEpochMs !== undefined && dueAtEpochMs !== queuedForEpochMs) {
    return { fromEpochMs: queuedForEpochMs, beforeEpochMs: dueAtEpochMs };
  }
  // `skip` can run an instant that is a little late, when others have passed as well.
  const fromEpochMs =
    dueAtEpochMs === undefined ? queuedForEpochMs : instants.next(queuedForEpochMs);
  if (fromEpochMs === undefined || fromEpochMs === nextEpochMs) return undefined;
  return { fromEpochMs, beforeEpochMs: nextEpochMs };
}

/** @param dueAtEpochMs The instant for which the message was queued. */
export function decideDue(
  dueAtEpochMs: number,
  nowEpochMs: number,
  missed: MissedPolicy,
  instants: DueInstants,
): DueDecision {
  const none = { missedFromEpochMs: undefined };
  switch (missed) {
    case "all":
      return { ...none, dueAtEpochMs, nextEpochMs: instants.next(dueAtEpochMs) };
    case "skip": {
      const tooLate = nowEpochMs - dueAtEpochMs > lateMsMax;
      return {
        ...none,
        dueAtEpochMs: tooLate ? undefined : dueAtEpochMs,
        nextEpochMs: instants.next(Math.max(dueAtEpochMs, nowEpochMs)),
      };
    }
    case "once": {
      // An operator may run it before its time.
      const latest = Math.max(dueAtEpochMs, instants.latest(nowEpochMs) ?? dueAtEpochMs);
      return {
        dueAtEpochMs: latest,
        missedFromEpochMs: latest > dueAtEpochMs ? dueAtEpochMs : undefined,
        nextEpochMs: instants.next(latest),
      };
    }
  }
}
