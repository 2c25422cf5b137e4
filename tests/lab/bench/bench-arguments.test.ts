import { describe, expect, test } from "vitest";
import {
  BenchArgumentError,
  benchNames,
  contenderNames,
  parseBenchArguments,
  usage,
  usualSituations,
} from "../../../lab/bench/bench-arguments.ts";

const parse = (line: string) => parseBenchArguments(line.split(" ").filter(Boolean));

describe("a bench is asked", () => {
  test.each([
    ["", { benches: ["speed"], updates: 10_000, only: contenderNames }],
    ["latency", { benches: ["latency"], rates: [50, 200, 500], situations: usualSituations }],
    ["all --json all.json", { benches: benchNames, json: "all.json" }],
    ["latency flood --seconds 5", { benches: ["latency", "flood"], seconds: 5 }],
    ["--updates 20 --rounds 1 --svg plot.svg", { updates: 20, rounds: 1, svg: "plot.svg" }],
    ["--only telegraf,limit-line", { only: ["telegraf", "limit-line"] }],
    [
      "latency --rates 7 --situations alone,health",
      { rates: [7], situations: ["alone", "health"] },
    ],
    [
      "latency --situations crowd,campaign --allowed 30",
      { situations: ["crowd", "campaign"], allowed: 30 },
    ],
    ["memory --waiting 0,990000 --burst 9", { waiting: [0, 990_000], burst: 9 }],
    ["memory --settle 1", { settleSeconds: 1 }],
    ["--help", { help: true }],
  ])("%s", (line, expected) => {
    expect(parse(line)).toMatchObject(expected);
  });
});

describe("a mistake is named", () => {
  test.each([
    ["fast", /no bench "fast".*speed, latency/],
    ["--updates many", /--updates.*"many"/],
    ["--updates 0", /--updates.*from 1/],
    ["--rounds 1.5", /--rounds.*"1.5"/],
    ["--only me", /--only.*"me".*this-bot/],
    ["latency --rates 50,", /--rates.*""/],
    ["latency --situations rain", /--situations.*"rain".*stuck/],
    ["memory --waiting 1000000", /--waiting.*990000/],
    ["memory --svg plot.svg", /--svg is for speed, not for memory/],
    ["--rates 50", /--rates is for latency, not for speed/],
    ["--loud", /--loud/],
  ])("%s", (line, message) => {
    expect(() => parse(line)).toThrow(BenchArgumentError);
    expect(() => parse(line)).toThrow(message);
  });
});

test("the help has every option", () => {
  for (const option of ["rounds", "only", "updates", "seconds", "rates", "situations"]) {
    expect(usage).toContain(`--${option} `);
  }
  for (const option of [
    "requests",
    "allowed",
    "burst",
    "waiting",
    "settle",
    "json",
    "svg",
    "help",
  ]) {
    expect(usage).toContain(`--${option} `);
  }
});
