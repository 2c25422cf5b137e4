import { expect, test } from "vitest";
import { type SpeedFigures, speedPlot, speedRow, speedText } from "../../../lab/bench/speed.ts";
import { rotated } from "../../../lab/bench/statistics.ts";

const figures = (updatesPerSecond: number, processorUs = 100, peakMb = 100): SpeedFigures => ({
  updatesPerSecond,
  processorUs,
  peakMb,
});
const ours = { name: "this-bot", title: "this bot" } as const;
const telegraf = { name: "telegraf", title: "bare Telegraf" } as const;

/** The machine was slow in the second round, for both. */
const own = [figures(1_000, 200), figures(300, 600), figures(1_100, 220)];
const others = [figures(2_000, 100), figures(600, 300), figures(2_000, 100)];

test("each round is compared with Telegraf in the same round, and the middle ratio counts", () => {
  const row = speedRow(ours, own, others);
  expect(row.median.updatesPerSecond).toBe(1_000);
  expect(row.toTelegraf).toEqual({ updatesPerSecond: 0.5, processorUs: 2, peakMb: 1 });
});

test("without Telegraf there are figures, and no ratios", () => {
  const row = speedRow(ours, own, undefined);
  expect(row.toTelegraf).toBeUndefined();
  const text = speedText({ updates: 10, chats: 5, rounds: 3, rows: [row] });
  expect(text).toMatch(/this bot +1000 +- +220 µs +- +100 MB +-/);
});

test("the report has a line for each contender, with its ratios", () => {
  const rows = [speedRow(ours, own, others), speedRow(telegraf, others, others)];
  const text = speedText({ updates: 10, chats: 5, rounds: 3, rows });
  expect(text).toMatch(/10 updates in 5 chats.* medians of 3 rounds/);
  expect(text).toMatch(/this bot +1000 +0\.50 +220 µs +2\.00/);
  expect(text).toMatch(/bare Telegraf +2000 +1\.00 +100 µs +1\.00/);
});

test("the plot has a bar for each contender, and only ours stand out", () => {
  const rows = [speedRow(ours, own, others), speedRow(telegraf, others, others)];
  const { bars, subtitle } = speedPlot({ updates: 10, chats: 5, rounds: 1, rows });
  expect(subtitle).toContain("1 round;");
  expect(bars).toEqual([
    { label: "this bot", value: 1_000, note: "1000/s, 220 µs", ours: true },
    { label: "bare Telegraf", value: 2_000, note: "2000/s, 100 µs", ours: false },
  ]);
});

test("every round begins with another contender", () => {
  expect([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""))).toEqual([
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
  expect(rotated([], 2)).toEqual([]);
});
