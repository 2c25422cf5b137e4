/**
 * Simulation: the real parts in bad weather, many seeds; a seed replays exactly.
 *
 * `SIMULATION_SEEDS=10000 npm test -- simulation` runs more of them.
 */
import { expect, test } from "vitest";
import { playSeeds } from "../../../lab/simulation/play-seeds.ts";
import { simulate } from "../../../lab/simulation/simulation.ts";

const { SIMULATION_SEEDS = "1000" } = process.env;
const seeds = Number(SIMULATION_SEEDS);

test(`${seeds} seeds break no promise, and everything drains when the weather is fine`, {
  timeout: 60_000 + seeds * 500,
}, async () => {
  const broken: string[] = [];
  const total = { deaths: 0, ambiguous: 0, dead: 0, replies: 0 };
  let next = 1;
  await playSeeds({
    mode: "both",
    take: () => (next <= seeds ? next++ : undefined),
    note: ({ counts, findings, seed }) => {
      const replay = `npm run simulate -- --seed ${seed} --trace`;
      broken.push(...findings.map(({ what, where }) => `${what}: ${where}; ${replay}`));
      total.deaths += counts.deaths;
      total.ambiguous += counts.repliesAmbiguous;
      total.dead += counts.deadLetters;
      total.replies += counts.replies;
    },
  });
  expect(broken).toEqual([]);
  // The weather was bad enough to matter.
  expect(total.deaths).toBeGreaterThan(2 * seeds);
  expect(total.replies).toBeGreaterThan(10 * seeds);
  expect(total.ambiguous).toBeGreaterThan(seeds / 2);
  expect(total.dead).toBeGreaterThan(seeds / 4);
});

test("a seed replays exactly, whatever ran before it", async () => {
  for (const seed of [3, 55, 77]) {
    const first = await simulate({ seed, mode: "both" });
    await simulate({ seed: seed + 1, mode: "safety" });
    const again = await simulate({ seed, mode: "both" });
    expect(again.hash).toBe(first.hash);
    const other = await simulate({ seed: seed + 1, mode: "both" });
    expect(other.hash).not.toBe(first.hash);
  }
});
