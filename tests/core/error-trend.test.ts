/** Error trend: what counts as the same error, and what as unusually many, on synthetic series. */
import { describe, expect, test } from "vitest";
import {
  fingerprintOf,
  isSpike,
  noTrend,
  withoutParticulars,
  withWindow,
} from "../../bot/core/error-trend.ts";
import { seededRandom } from "../../lab/simulation/seeded-random.ts";

test.for<[string, string]>([
  ["no answer within 1500 ms", "no answer within 20.5 ms"],
  ['field "name" is missing', 'field "age" is missing'],
  ["GET https://a.example/b?c=1 failed", "GET http://other:80/ failed"],
  ["cannot open /var/lib/x/y.db", "cannot open /tmp/z.db"],
  ["session 5f2a9c0b1d is over", "session 00ff00ff00 is over"],
])("%s is the same as %s", ([one, other]) => {
  const of = (message: string) => fingerprintOf({ code: "X", message });
  expect(of(one)).toBe(of(other));
  expect(of(one)).toMatch(/^[0-9a-f]{12}$/);
});

test("another code or other words are another error", () => {
  const first = fingerprintOf({ code: "X", message: "no answer" });
  expect(fingerprintOf({ code: "Y", message: "no answer" })).not.toBe(first);
  expect(fingerprintOf({ code: "X", message: "no reply" })).not.toBe(first);
  expect(withoutParticulars("no answer")).toBe("no answer");
});

describe("after windows of", () => {
  const random = seededRandom(3);
  const noisy = Array.from({ length: 100 }, () => 10 + Math.round(random() * 6));
  test.for<{ title: string; before: number[]; now: number; spike: boolean }>([
    { title: "nothing, five are no spike", before: [], now: 5, spike: false },
    { title: "nothing, six are", before: [], now: 6, spike: true },
    { title: "a steady ten, twelve are", before: Array(200).fill(10), now: 12, spike: true },
    { title: "ten to sixteen, twenty are no spike", before: noisy, now: 18, spike: false },
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
