/** Statistics: what a bench makes of many measured numbers. Pure. */

/** The middle number, or the mean of the two in the middle; NaN when there is none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return lower === upper ? upper : (lower + upper) / 2;
}

/** The medians of every field of these records, which have the same fields. */
export function medians<Field extends string>(
  records: readonly Readonly<Record<Field, number>>[],
): Readonly<Record<Field, number>> {
  const fields = Object.keys(records[0] ?? {}) as Field[];
  const entries = fields.map((field) => [field, median(records.map((record) => record[field]))]);
  return Object.fromEntries(entries) as Readonly<Record<Field, number>>;
}

/**
 * The smallest of the numbers that at least this share of them does not exceed (nearest rank); NaN when
 * there is none.
 *
 * @param share Above 0, at most 1.
 */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  // Without rounding, 0.07 * 100 would be a little more than 7, and the rank one too high.
  const rank = Math.ceil(Number((share * sorted.length).toFixed(6)));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The list, beginning with another element in each round. */
export function rotated<T>(list: readonly T[], round: number): readonly T[] {
  const first = round % Math.max(1, list.length);
  return [...list.slice(first), ...list.slice(0, first)];
}

/** A reply as the sandbox saw it. */
export interface Reply {
  readonly chatId: number;
  readonly atMs: number;
}

export interface Latencies {
  readonly updates: number;
  readonly unanswered: number;
  /** Infinity when too many updates stayed without an answer to tell. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/**
 * Latencies from the instant at which each update was *meant* to arrive, so that a stall counts for
 * everybody who would have written during it (no coordinated omission). An update without a reply
 * counts as one that waits for ever.
 *
 * @param intendedAtMs The instants by chat; every chat has one update.
 * @param replies The first reply in a chat counts; replies in other chats are left out.
 */
export function latenciesOf(
  intendedAtMs: ReadonlyMap<number, number>,
  replies: Iterable<Reply>,
): Latencies {
  const repliedAtMs = new Map<number, number>();
  for (const { atMs, chatId } of replies) {
    repliedAtMs.set(chatId, Math.min(atMs, repliedAtMs.get(chatId) ?? Number.POSITIVE_INFINITY));
  }
  const took = [...intendedAtMs].map(
    ([chatId, atMs]) => (repliedAtMs.get(chatId) ?? Number.POSITIVE_INFINITY) - atMs,
  );
  return {
    updates: took.length,
    unanswered: took.filter((ms) => ms === Number.POSITIVE_INFINITY).length,
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
    p999Ms: percentile(took, 0.999),
  };
}

/**
 * The share of an allowed rate that was used between two instants.
 *
 * @param atMs When each message was sent, in any order.
 */
export function usedShare(
  atMs: readonly number[],
  perSecond: number,
  fromMs: number,
  toMs: number,
): number {
  const within = atMs.filter((at) => at >= fromMs && at < toMs).length;
  return within / (((toMs - fromMs) / 1_000) * perSecond);
}
