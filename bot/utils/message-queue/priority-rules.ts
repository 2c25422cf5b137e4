/**
 * Priority: high before normal before low, and none of them starves.
 *
 * Ageing: a head that has waited past its age goes first, but aged heads get at most one claim in
 * four. So ten thousand old broadcasts cannot push replies aside, and an endless stream of button
 * presses cannot stop a broadcast.
 */

/** Milliseconds after which a waiting head is aged. */
export const ageMs = { normal: 5_000, low: 30_000 };

/** Every how many claims one goes to an aged head first. */
const agedShare = 4;

/**
 * How many of the next `limit` claims go to aged heads first.
 *
 * @param claimsBefore Claims made before these, so that the share holds for small limits too.
 */
export function decideAgedLimit(claimsBefore: number, limit: number): number {
  return Math.floor((claimsBefore + limit) / agedShare) - Math.floor(claimsBefore / agedShare);
}
