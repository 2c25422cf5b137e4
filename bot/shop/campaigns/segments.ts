/**
 * Segments: whom a broadcast is for.
 *
 * People are walked by ascending id in pages, because their languages are sealed and no statement can
 * choose by them, and because a long transaction would keep everybody else waiting.
 */
import type { Transaction } from "../../core/transaction.ts";
import { languageOf } from "../commands/texts.ts";
import { languageTagOf, standingOf } from "../people/standing.ts";
import { campaignsOf, type Segment } from "./campaign-tables.ts";

export interface PeoplePage {
  readonly userIds: readonly number[];
  /** The last id that was looked at. */
  readonly position: number;
  /** Whether nobody comes after it. */
  readonly ended: boolean;
}

const dayMs = 86_400_000;

/**
 * The next people of a segment. Whoever an administrator has blocked is not among them.
 *
 * @param untilEpochMs Who came later does not belong to it.
 * @param limit How many accounts are looked at.
 */
export async function peopleAfter(
  tx: Transaction,
  segment: Segment,
  untilEpochMs: number,
  afterUserId: number,
  limit: number,
): Promise<PeoplePage> {
  const [, days] = /^active(\d+)$/.exec(segment) ?? [];
  const found = await campaignsOf(tx).candidates({
    ...{ afterUserId, limit, untilEpochMs },
    bought: segment === "bought",
    activeSinceEpochMs: days === undefined ? undefined : untilEpochMs - Number(days) * dayMs,
  });
  const userIds: number[] = [];
  for (const userId of found) {
    if ((await standingOf(tx, userId)).blocked) continue;
    const byLanguage = segment === "zh" || segment === "en";
    if (byLanguage && languageOf(await languageTagOf(tx, userId)) !== segment) continue;
    userIds.push(userId);
  }
  return { userIds, position: found.at(-1) ?? afterUserId, ended: found.length < limit };
}

const pageLength = 500;

/** Counts a segment, a page in each transaction. */
export async function countPeople(
  read: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>,
  segment: Segment,
  untilEpochMs: number,
): Promise<number> {
  let count = 0;
  let page: PeoplePage = { userIds: [], position: 0, ended: false };
  while (!page.ended) {
    const { position } = page;
    page = await read((tx) => peopleAfter(tx, segment, untilEpochMs, position, pageLength));
    count += page.userIds.length;
  }
  return count;
}
