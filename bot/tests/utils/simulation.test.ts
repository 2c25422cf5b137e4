/**
 * Simulation: queue and store, thousands of seeds, dying at any commit.
 *
 * A failing seed is printed; `SIMULATION_SEED=<seed> npm test -- simulation` replays it.
 */
import { describe, expect, test } from "vitest";
import { findBrokenPromises, type History } from "../support/simulated-history.ts";
import { simulate } from "../support/simulated-queue.ts";

const { SIMULATION_SEED, SIMULATION_SEEDS = "1000" } = process.env;
const seeds =
  SIMULATION_SEED === undefined
    ? Array.from({ length: Number(SIMULATION_SEEDS) }, (_, index) => index + 1)
    : [Number(SIMULATION_SEED)];

test("no crash at any commit loses, doubles or reorders anything", {
  timeout: 240_000,
}, async () => {
  for (const seed of seeds) {
    const broken = findBrokenPromises(await simulate(seed));
    expect(broken, `replay with SIMULATION_SEED=${seed} npm test -- simulation`).toEqual([]);
  }
});

describe("the checker notices", () => {
  const sent = ["0:0/step", "0:0/done", "0:1/step", "0:1/done"].map((key) => {
    return { chat: 0, key, process: 1 };
  });
  const effects = ["0:0", "0:1"].map((key) => ({ chat: 0, key }));
  const good: History = { expected: [["0:0", "0:1"]], effects, sent, left: 0 };
  const [first, second, third, fourth] = sent as [Sent, Sent, Sent, Sent];

  test("nothing in a good history, nor in a repetition by the next process", () => {
    expect(findBrokenPromises(good)).toEqual([]);
    const repeated = [first, second, { ...second, process: 2 }, third, fourth];
    expect(findBrokenPromises({ ...good, sent: repeated })).toEqual([]);
  });

  test.each<[string, Partial<History>]>([
    ["a lost effect", { effects: effects.slice(1) }],
    ["a doubled effect", { effects: [...effects, ...effects.slice(1)] }],
    ["reordered effects", { effects: effects.toReversed() }],
    ["a lost reply", { sent: [first, second, fourth] }],
    ["a reply doubled by one process", { sent: [first, first, second, third, fourth] }],
    ["reordered replies", { sent: [second, first, third, fourth] }],
    ["a message left over", { left: 1 }],
    ["a count that is unknown", { left: Number.NaN }],
  ])("%s", (_, change) => {
    expect(findBrokenPromises({ ...good, ...change })).toHaveLength(1);
  });
});

type Sent = History["sent"][number];
