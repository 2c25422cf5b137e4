/** Deadline: which result counts, and what is left behind. */
import { expect, test } from "vitest";
import { withDeadline } from "../../bot/core/deadline.ts";
import type { Ending } from "../../bot/core/ending.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";

/** Work that takes `takesMs` unless its signal ends it, under a deadline of a second. */
function setup(takesMs: number, stop = new AbortController()) {
  const clock = new ManualClock();
  const ended: string[] = [];
  const work = async ({ signal }: Ending) => {
    signal.addEventListener("abort", () => ended.push("aborted"));
    await clock.sleep(takesMs, new AbortController().signal);
    return "done";
  };
  const result = withDeadline(clock, 1_000, work, { late: () => "late", signal: stop.signal });
  return { clock, ended, result, stop };
}

test("work that is in time gives its result, and its timer is gone", async () => {
  const { clock, result } = setup(999);
  await clock.advance(999);
  expect(await result).toBe("done");
  expect(clock.pending).toBe(0);
});

test("work that takes too long is told, and its result no longer counts", async () => {
  const { clock, ended, result } = setup(5_000);
  await clock.advance(1_000);
  expect(await result).toBe("late");
  expect(ended).toEqual(["aborted"]);
  await clock.advance(5_000);
  expect(clock.pending).toBe(0);
});

test("what the work has begun ends with it", async () => {
  const { clock, ended, result } = setup(10);
  await clock.advance(10);
  await result;
  expect(ended).toEqual(["aborted"]);
});

test("a signal that is asked for when the time is over has aborted", async () => {
  const clock = new ManualClock();
  let seen: Ending | undefined;
  const work = (ending: Ending) => {
    seen = ending;
    return new Promise<string>(() => {});
  };
  const result = withDeadline(clock, 1_000, work, { late: () => "late" });
  expect(seen?.aborted).toBe(false);
  await clock.advance(1_000);
  expect(await result).toBe("late");
  expect(seen?.aborted).toBe(true);
  expect(seen?.signal.aborted).toBe(true);
});

test("lateness may be an error", async () => {
  const clock = new ManualClock();
  const late = () => {
    throw new RangeError("too late");
  };
  const result = withDeadline(clock, 1_000, () => new Promise<void>(() => {}), { late });
  const seen = expect(result).rejects.toThrow(RangeError);
  await clock.advance(1_000);
  await seen;
});

test("what the work throws is thrown, at once or later, and no timer is left", async () => {
  const clock = new ManualClock();
  const late = () => "late";
  const failing = async () => Promise.reject(new Error("broken"));
  await expect(withDeadline(clock, 1_000, failing, { late })).rejects.toThrow("broken");
  const throwing = () => {
    throw new Error("broken at once");
  };
  await expect(withDeadline(clock, 1_000, throwing, { late })).rejects.toThrow("broken at once");
  await settle();
  expect(clock.pending).toBe(0);
});

test("work that fails after its deadline is no unhandled rejection", async () => {
  const clock = new ManualClock();
  const work = async ({ signal }: Ending) => {
    await clock.sleep(5_000, signal);
    throw new Error("given up");
  };
  const result = withDeadline(clock, 1_000, work, { late: () => "late" });
  await clock.advance(1_000);
  expect(await result).toBe("late");
  await settle();
});

test("a stop ends the time at once, also one that came before", async () => {
  const { clock, ended, result, stop } = setup(5_000);
  stop.abort();
  expect(await result).toBe("late");
  expect(ended).toEqual(["aborted"]);
  const before = setup(5_000, stop);
  expect(await before.result).toBe("late");
  await clock.advance(5_000);
  expect(clock.pending).toBe(0);
});
