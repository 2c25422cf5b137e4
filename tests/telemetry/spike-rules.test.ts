/** Spikes: which numbers of errors count as unusual, on synthetic series. */
import { describe, expect, test } from "vitest";
import { isSpike, noTrend, withWindow } from "../../bot/telemetry/spike-rules.ts";
import { seededRandom } from "../../lab/simulation/seeded-random.ts";

describe("after windows of", () => {
  const random = seededRandom(3);
  const noisy = Array.from({ length: 100 }, () => 10 + Math.round(random() * 6));
  test.for<{ title: string; before: number[]; now: number; spike: boolean }>([
    { title: "nothing, five are no spike", before: [], now: 5, spike: false },
    { title: "nothing, six are", before: [], now: 6, spike: true },
    { title: "a steady ten, twelve are", before: Array(200).fill(10), now: 12, spike: true },
    { title: "ten to sixteen, eighteen are no spike", before: noisy, now: 18, spike: false },
    { title: "ten to sixteen, forty are", before: noisy, now: 40, spike: true },
    {
      title: "a storm that has passed, six are again",
      before: [...Array(20).fill(100), ...Array(288).fill(0)],
      now: 6,
      spike: true,
    },
  ])("$title", ({ before, now, spike }) => {
    expect(isSpike(before.reduce(withWindow, noTrend), now)).toBe(spike);
  });
});
