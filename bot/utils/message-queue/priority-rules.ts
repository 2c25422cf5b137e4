/**
 * Priority: claims high before normal before low, and lets none of them starve.
 *
 * A head that has waited longer than `ageMs` goes first, but aged heads get at most one claim in
 * four. So ten thousand old broadcasts cannot push replies aside, and an endless stream of button
 * presses cannot stop a broadcast.
 */

/** Milliseconds after which a waiting head is aged. */
export const ageMs = { normal: 5_000, low: 30_000 };

/** One claim in this many goes to an aged head first. */
const agedShare = 4;

/**
 * Returns how many of the next `limit` claims go to aged heads first.
 *
 * @param claimsBefore Claims made so far, so that the share also holds for small limits.
 */
export function decideAgedLimit(claimsBefore: number, limit: number): number {
  return Math.floor((claimsBefore + limit) / agedShare) - Math.floor(claimsBefore / agedShare);
}
