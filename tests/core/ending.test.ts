/** Endings: everybody who listens is told once, and a signal made at any time says the same. */
import { expect, test } from "vitest";
import { Ending } from "../../bot/core/ending.ts";

test("tells everybody who listens, once", () => {
  const ending = new Ending();
  const told: string[] = [];
  const left = () => told.push("left");
  ending.addEventListener("abort", () => told.push("a"));
  ending.addEventListener("abort", left);
  ending.addEventListener("abort", () => told.push("b"));
  ending.removeEventListener("abort", left);
  expect(ending.aborted).toBe(false);
  ending.end();
  ending.end();
  expect(ending.aborted).toBe(true);
  expect(told).toEqual(["a", "b"]);
});

test.each(["before", "after"])("a signal that is asked for %s the end has aborted then", (when) => {
  const ending = new Ending();
  if (when === "before") expect(ending.signal.aborted).toBe(false);
  ending.end();
  expect(ending.signal.aborted).toBe(true);
});

test("who leaves while others are told is not told, nor who comes then", () => {
  const ending = new Ending();
  const told: string[] = [];
  const second = () => told.push("second");
  ending.addEventListener("abort", () => {
    told.push("first");
    ending.removeEventListener("abort", second);
    ending.addEventListener("abort", () => told.push("too late"));
  });
  ending.addEventListener("abort", second);
  ending.end();
  expect(told).toEqual(["first"]);
});
