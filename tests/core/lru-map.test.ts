/** LRU map: which key is forgotten. */
import { expect, test } from "vitest";
import { LruMap } from "../../bot/core/lru-map.ts";

test("the key that was set longest ago is forgotten first", () => {
  const map = new LruMap<string, number>(2);
  map.set("a", 1).set("b", 2).set("a", 3).set("c", 4);
  expect([...map]).toEqual([
    ["a", 3],
    ["c", 4],
  ]);
});

test("setting a key again takes no other one's place", () => {
  const map = new LruMap<string, number>(2);
  map.set("a", 1).set("b", 2).set("b", 3);
  expect(map.size).toBe(2);
  expect(map.get("a")).toBe(1);
});

test("what goes for another one is told, what is deleted is not", () => {
  const gone: number[] = [];
  const map = new LruMap<string, number>(1, (value) => gone.push(value));
  map.set("a", 1);
  map.delete("a");
  map.set("b", 2).set("b", 3).set("c", 4);
  expect(gone).toEqual([3]);
});
