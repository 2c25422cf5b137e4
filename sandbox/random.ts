/** Random: random numbers that a seed repeats. */

/** Uniform in [0, 1). */
export type Random = () => number;

/** Mulberry32: small, fast, and good enough for faults. Source: Tommy Ettinger, public domain. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number, `from` and `to` included. */
export function randomInteger(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

/** An int64 id as a string of digits, as Telegram writes query ids. */
export function randomId(random: Random): string {
  const high = randomInteger(random, 1, 9_000_000_000);
  return `${high}${String(randomInteger(random, 0, 999_999_999)).padStart(9, "0")}`;
}
