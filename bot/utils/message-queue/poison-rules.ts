/**
 * Poison: keeps an update that kills the process from doing so forever (promise P7).
 *
 * Every update being handled when the process died is a suspect. Suspects run alone, one at a time,
 * the least suspect first: the innocent ones clear themselves, and another death points at a single
 * message. After `deathsMax` deaths a message is quarantined. A process that dies without the message as
 * well dies of something else, so then it takes more.
 */

/** Deaths after which an update is quarantined, when the process did not die without it. */
export const deathsMax = 3;

/** Deaths after which an update is quarantined in any case. */
export const deathsMaxAmongOthers = 8;

/**
 * Deaths after which a send is given up. Far more than of an update: a process that is killed again and
 * again dies while it sends, and a reply must not be lost to that.
 */
export const sendDeathsMax = 20;

/**
 * Milliseconds for which a suspect runs alone; then other updates join, so none waits for it
 * longer.
 */
export const suspectAloneMs = 1_000;

/**
 * @param deaths Deaths of the process while it handled the message, including the last one.
 * @param otherDeaths Deaths in a row, among those before now, while it did not handle the message.
 */
export function isPoison(deaths: number, otherDeaths: number): boolean {
  return deaths >= Math.min(deathsMax + otherDeaths, deathsMaxAmongOthers);
}
