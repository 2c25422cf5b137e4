import { expect, test } from "vitest";
import {
  latenciesOf,
  median,
  medians,
  percentile,
  usedShare,
} from "../../../lab/bench/statistics.ts";

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[1, 2, 3, 10], 2.5],
  [[1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], Number.POSITIVE_INFINITY],
])("the median of %j is %d", (numbers, expected) => {
  expect(median(numbers)).toBe(expected);
});

test("without numbers there is no median and no percentile", () => {
  expect(median([])).toBeNaN();
  expect(percentile([], 0.5)).toBeNaN();
});

test("each field of several rounds has its own median", () => {
  const rounds = [
    { speed: 1, memory: 30 },
    { speed: 5, memory: 10 },
    { speed: 3, memory: 20 },
  ];
  expect(medians(rounds)).toEqual({ speed: 3, memory: 20 });
});

const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);

test.each([
  [0.01, 1],
  [0.07, 7],
  [0.5, 50],
  [0.99, 99],
  [0.999, 100],
  [1, 100],
])("at most %d of the numbers from 1 to 100 are above the percentile %d", (share, expected) => {
  expect(percentile(oneToHundred, share)).toBe(expected);
});

/** A hundred updates, ten milliseconds apart, each in its own chat. */
const schedule = new Map(oneToHundred.map((chatId) => [chatId, chatId * 10]));

test("a prompt bot answers every update in the same time", () => {
  const replies = [...schedule].map(([chatId, atMs]) => ({ chatId, atMs: atMs + 2 }));
  expect(latenciesOf(schedule, replies)).toEqual({
    updates: 100,
    unanswered: 0,
    p50Ms: 2,
    p99Ms: 2,
    p999Ms: 2,
  });
});

test("a stall counts for everybody who was meant to write during it, though they wrote late", () => {
  // Nothing moved from 500 to 900 ms. Measured from when they were written, all would have taken 2 ms.
  const writtenAtMs = (atMs: number) => (atMs >= 500 && atMs < 900 ? 900 : atMs);
  const replies = [...schedule].map(([chatId, atMs]) => ({ chatId, atMs: writtenAtMs(atMs) + 2 }));
  const { p50Ms, p99Ms } = latenciesOf(schedule, replies);
  expect(p50Ms).toBe(2);
  expect(p99Ms).toBe(392);
});

test("an update without a reply waits for ever", () => {
  const replies = [...schedule.keys()].slice(5).map((chatId) => ({ chatId, atMs: 2_000 }));
  const { p50Ms, p99Ms, unanswered } = latenciesOf(schedule, replies);
  expect(unanswered).toBe(5);
  expect(p50Ms).toBeLessThan(2_000);
  expect(p99Ms).toBe(Number.POSITIVE_INFINITY);
});

test("the first reply counts, and replies in other chats do not", () => {
  const one = new Map([[1, 100]]);
  const replies = [
    { chatId: 1, atMs: 150 },
    { chatId: 1, atMs: 110 },
    { chatId: 2, atMs: 101 },
  ];
  expect(latenciesOf(one, replies)).toMatchObject({ updates: 1, unanswered: 0, p50Ms: 10 });
});

test("the used share counts what was sent between the two instants, the second left out", () => {
  const everyTenthOfASecond = Array.from({ length: 50 }, (_, index) => index * 100);
  expect(usedShare(everyTenthOfASecond, 10, 1_000, 3_000)).toBe(1);
  expect(usedShare(everyTenthOfASecond, 20, 1_000, 3_000)).toBe(0.5);
});
