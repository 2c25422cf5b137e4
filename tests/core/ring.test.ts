/** Ring: what it keeps, and in which order. */
import { expect, test } from "vitest";
import { Ring } from "../../bot/core/ring.ts";

test("it keeps the latest values, oldest first", () => {
  const ring = new Ring<number>(3);
  expect(ring.values).toEqual([]);
  for (const value of [1, 2, 3, 4, 5]) ring.push(value);
  expect(ring.values).toEqual([3, 4, 5]);
  expect(ring.length).toBe(3);
});

test("the latest come first where so many are asked for", () => {
  const ring = new Ring<number>(3);
  for (const value of [1, 2, 3]) ring.push(value);
  expect(ring.latest(2)).toEqual([3, 2]);
  expect(ring.latest(9)).toEqual([3, 2, 1]);
  expect(ring.latest(0)).toEqual([]);
});

test("what it gave does not change when more comes", () => {
  const ring = new Ring<number>(2);
  ring.push(1);
  const before = ring.values;
  ring.push(2);
  expect(before).toEqual([1]);
});
