/**
 * Poison: an update that kills the process must not do so for ever (promise P7).
 *
 * Everything in hand at a death is suspect, so suspects run one at a time, alone, the least suspect
 * first: innocents clear themselves, and the next death points at one message. After `deathsMax`
 * deaths a message is quarantined.
 */

/** Deaths after which an update is quarantined. */
export const deathsMax = 3;

/** Milliseconds for which a suspect runs alone; after them others join, so nobody waits for it. */
export const suspectAloneMs = 1_000;

/** @param deaths Deaths with the message in hand, the last one included. */
export function isPoison(deaths: number): boolean {
  return deaths >= deathsMax;
}
