/** Recent look: how often the question is asked. */
import { expect, test } from "vitest";
import { RecentLook } from "../../bot/core/recent-look.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("an answer is trusted for a quarter of a second, and then asked for again", async () => {
  const clock = new ManualClock();
  let asked = 0;
  const recent = new RecentLook(clock, async () => ++asked);
  expect([await recent.look(), await recent.look()]).toEqual([1, 1]);
  await clock.advance(249);
  expect(await recent.look()).toBe(1);
  await clock.advance(1);
  expect(await recent.look()).toBe(2);
});

test("a question that fails is asked again at the next look", async () => {
  const clock = new ManualClock();
  const answers = [Promise.reject(new Error("no answer")), Promise.resolve("there")];
  const recent = new RecentLook(clock, () => answers.shift() ?? Promise.resolve("more"));
  await expect(recent.look()).rejects.toThrow("no answer");
  expect(await recent.look()).toBe("there");
});
