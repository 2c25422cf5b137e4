/** Carried values: each follows its work, and none is kept longer than that. */
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { CarriedValue } from "../../bot/core/carried-value.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a value follows the work that carries it, and what that starts", async () => {
  const name = new CarriedValue<string>();
  const seen: (string | undefined)[] = [];
  const work = async () => {
    seen.push(name.current);
    await pause(1);
    seen.push(name.current);
  };
  await Promise.all([name.run("a", work), name.run("b", work), work()]);
  expect(seen).toEqual(["a", "b", undefined, "a", "b", undefined]);
});

test("values do not touch each other, and an inner one stands for an outer one of its kind", () => {
  const name = new CarriedValue<string>();
  const size = new CarriedValue<number>();
  const seen = () => [name.current, size.current];
  name.run("outer", () => {
    expect(seen()).toEqual(["outer", undefined]);
    size.run(1, () => {
      expect(seen()).toEqual(["outer", 1]);
      name.run("inner", () => expect(seen()).toEqual(["inner", 1]));
      expect(seen()).toEqual(["outer", 1]);
    });
  });
  expect(seen()).toEqual([undefined, undefined]);
});

test("what was replaced is not kept, when work has started the next and that the next", async () => {
  const name = new CarriedValue<object>();
  const size = new CarriedValue<number>();
  const end = Promise.withResolvers<void>();
  const values: WeakRef<object>[] = [];
  const start = (left: number) => {
    const value = { left };
    values.push(new WeakRef(value));
    name.run(value, () => size.run(left, () => work(left).catch(end.reject)));
  };
  const work = async (left: number) => {
    await pause(1);
    if (left > 0) return start(left - 1);
    collectGarbage();
    const [first, ...others] = values.map((value) => value.deref());
    expect(others.at(-1)).toEqual({ left: 0 });
    expect(first).toBeUndefined();
    end.resolve();
  };
  start(3);
  await end.promise;
});
