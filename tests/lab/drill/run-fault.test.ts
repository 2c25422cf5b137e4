/** How a fault is judged, without playing it. */
import { expect, test } from "vitest";
import { deafFrom } from "../../../lab/drill/run-fault.ts";

test("a process is deaf from the injection, or its own start, until it dies, however long that takes", () => {
  const ends = [{ atMs: 500 }, { atMs: 8_000 }, { atMs: 12_500 }];

  expect(deafFrom(2_000, ends)).toEqual([
    { atMs: 500 },
    { atMs: 8_000, deafMs: 7_000 },
    { atMs: 12_500, deafMs: 5_500 },
  ]);
});
