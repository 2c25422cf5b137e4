import { expect, test } from "vitest";
import { contenderNames, usualSituations } from "../../../lab/bench/bench-arguments.ts";
import {
  latencyRows,
  latencyText,
  planTurns,
  type Turn,
  type TurnFigures,
} from "../../../lab/bench/latency.ts";

const plan = (options: Partial<Parameters<typeof planTurns>[0]> = {}) =>
  planTurns({
    only: contenderNames,
    rates: [50, 200, 500],
    situations: usualSituations,
    ...options,
  }).map(({ name, perSecond, situation }) => `${name} ${situation} ${perSecond}`);

test("alone is measured at every rate, the rest at the middle one, where a bot has it at all", () => {
  expect(plan()).toEqual([
    "this-bot alone 50",
    "telegraf alone 50",
    "this-bot alone 200",
    "telegraf alone 200",
    "this-bot alone 500",
    "telegraf alone 500",
    "this-bot stuck 200",
    "telegraf stuck 200",
    "this-bot broadcast 200",
    "this-bot health 200",
  ]);
});

test("only what was asked for is measured", () => {
  expect(plan({ only: ["this-bot"], rates: [100], situations: ["alone", "health"] })).toEqual([
    "this-bot alone 100",
    "this-bot health 100",
  ]);
  expect(plan({ rates: [300, 70], situations: ["stuck"], only: ["telegraf"] })).toEqual([
    "telegraf stuck 70",
  ]);
});

const figures = (p99Ms: number, unanswered = 0): TurnFigures => ({
  updates: 100,
  unanswered,
  p50Ms: 1,
  p99Ms,
  p999Ms: p99Ms,
  beside: { counts: {} },
});
const turn = (name: Turn["name"], situation: Turn["situation"]): Turn => ({
  name,
  situation,
  perSecond: 50,
});
const taken = new Map([
  [turn("this-bot", "alone"), [10, 40, 12].map((ms) => figures(ms))],
  [turn("telegraf", "alone"), [7, 38, 9].map((ms) => figures(ms))],
  [turn("this-bot", "health"), [11, 60, 18].map((ms) => figures(ms))],
  [turn("telegraf", "stuck"), [figures(Number.POSITIVE_INFINITY, 90)]],
]);

test("p99 is put beside Telegraf's and beside the same bot's alone, round by round", () => {
  const [ours, telegraf, health, stuck] = latencyRows(taken);
  expect(ours).toMatchObject({ p99Ms: 12, p99OverTelegrafMs: 3 });
  expect(ours?.p99ToAlone).toBeUndefined();
  expect(telegraf?.p99OverTelegrafMs).toBeUndefined();
  expect(health).toMatchObject({ p99Ms: 18, p99ToAlone: 1.5 });
  expect(stuck).toMatchObject({ unanswered: 90, p99ToAlone: Number.POSITIVE_INFINITY });
});

test("the report says what was beside, and who was never answered", () => {
  const rows = latencyRows(taken);
  const text = latencyText({ seconds: 2, rounds: 3, rows });
  expect(text).toMatch(/this bot, durable +nothing +50 +1\.0 ms +12\.0 ms +12\.0 ms +\+3\.0 ms +-/);
  expect(text).toMatch(/bare Telegraf +one chat stuck +50 +1\.0 ms +never +never/);
  expect(text).toContain("bare Telegraf, one chat stuck, 50/s: 90 updates unanswered");
});

test("what goes on in a crowd is put beside the crowd, and check-outs are told with their p99", () => {
  const checkouts = { updates: 10, unanswered: 1, p50Ms: 20, p99Ms: 80, p999Ms: 90 };
  const rows = latencyRows(
    new Map([
      [turn("this-bot", "crowd"), [figures(10)]],
      [turn("this-bot", "campaign"), [figures(12)]],
      [turn("this-bot", "checkouts"), [{ ...figures(11), beside: { counts: {}, checkouts } }]],
    ]),
  );
  expect(rows.map(({ p99ToAlone }) => p99ToAlone)).toEqual([undefined, 1.2, 1.1]);
  expect(latencyText({ seconds: 2, rounds: 1, rows })).toContain(
    "5 check-outs a second (answered: p50 20.0 ms, p99 80.0 ms, p99.9 90.0 ms, 1 of them unanswered)",
  );
});
