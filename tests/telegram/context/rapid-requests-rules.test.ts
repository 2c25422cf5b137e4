/** Rapid requests: when a person is served, warned and ignored. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RapidRequests } from "../../../bot/telegram/context/rapid-requests-rules.ts";

const options = { requestsMax: 5, windowMs: 1_000 };

test("a person is served up to the limit, then warned once, then ignored", () => {
  const rapid = new RapidRequests(options);
  const verdicts = Array.from({ length: 9 }, (_, n) => rapid.judge(1, n, n));
  expect(verdicts).toEqual([...Array(5).fill("fine"), "warn", ...Array(3).fill("ignore")]);
});

test("a person who pauses for a window is served again, and can be warned again", () => {
  const rapid = new RapidRequests(options);
  for (let n = 0; n < 9; n++) rapid.judge(1, n, n);
  expect(rapid.judge(1, 100, 1_100)).toBe("fine");
  for (let n = 101; n < 105; n++) rapid.judge(1, n, 1_100);
  expect(rapid.judge(1, 105, 1_100)).toBe("warn");
});

test("an update that is handled again gets the same verdict and counts once", () => {
  const rapid = new RapidRequests(options);
  for (let n = 0; n < 6; n++) rapid.judge(1, n, n);
  expect(rapid.judge(1, 5, 5)).toBe("warn");
  expect(rapid.judge(1, 2, 2)).toBe("fine");
});

test("one person's flood does not affect other people", () => {
  const rapid = new RapidRequests(options);
  for (let n = 0; n < 1_000; n++) rapid.judge(1, n, 0);
  expect(rapid.judge(2, 5_000, 0)).toBe("fine");
});

test("within any window a person is served at most up to the limit and warned at most twice", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 });
  fc.assert(
    fc.property(gaps, (pauses) => {
      const rapid = new RapidRequests(options);
      let atMs = 0;
      const seen = pauses.map((pauseMs, id) => {
        atMs += pauseMs;
        return { atMs, verdict: rapid.judge(1, id, atMs) };
      });
      for (const { atMs: end } of seen) {
        const within = seen.filter((one) => one.atMs > end - 1_000 && one.atMs <= end);
        expect(within.filter(({ verdict }) => verdict === "fine").length).toBeLessThanOrEqual(5);
        expect(within.filter(({ verdict }) => verdict === "warn").length).toBeLessThanOrEqual(2);
      }
    }),
  );
});
