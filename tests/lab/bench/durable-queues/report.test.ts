import { expect, test } from "vitest";
import type { QueueFigures } from "../../../../lab/bench/durable-queues/measure.ts";
import { queueText, rowsOf } from "../../../../lab/bench/durable-queues/report.ts";

const figures = (updatesPerSecond: number): QueueFigures => ({
  ...{ updatesPerSecond, processorUs: 300, serverUs: 400, p50Ms: 5, p99Ms: 9 },
});

test("ratios are made within a round, to the contender with as many processes", () => {
  const rows = rowsOf(
    new Map([
      ["postgres", [figures(1_000), figures(500), figures(900)]],
      ["postgres-2", [figures(1_200), figures(1_200), figures(1_200)]],
      ["pg-boss", [figures(200), figures(50), figures(100)]],
      ["bare", [figures(2_000), figures(1_000), figures(1_000)]],
    ]),
  );
  expect(rows.map(({ name, toBare, toPgBoss }) => [name, toPgBoss, toBare])).toEqual([
    ["postgres", 9, 0.5],
    ["postgres-2", Number.NaN, Number.NaN],
    ["pg-boss", 1, 0.1],
    ["bare", 10, 1],
  ]);
});

test("what was not measured has a dash", () => {
  const rows = rowsOf(new Map([["sqlite", [{ ...figures(1_000), serverUs: Number.NaN }]]]));
  const options = { rounds: 1, seconds: 8, waiting: 9, chats: 7, concurrency: 40, rate: 100 };
  const text = queueText({ ...options, delayMs: 3, rows });
  expect(text).toMatch(/every round trip 3 ms longer/);
  expect(text).toMatch(/this bot on SQLite +1000 +- +- +300 µs +- +5\.0 ms +9\.0 ms/);
});
