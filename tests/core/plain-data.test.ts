/** Plain data: what comes back from JSON as it was is accepted, everything else is named. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DataRefusedError } from "../../bot/core/errors.ts";
import { toPlainText } from "../../bot/core/plain-data.ts";

function refusal(value: unknown, bytesMax = 65_536): DataRefusedError {
  try {
    toPlainText(value, "session", bytesMax);
  } catch (error) {
    if (error instanceof DataRefusedError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

class Cart {}

function cyclic(): object {
  const cart: { items: unknown[] } = { items: [] };
  cart.items.push({ cart });
  return cart;
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

test.each([
  [() => 1, "session", "a function"],
  [{ a: { b: [1, () => 1] } }, "session.a.b[1]", "a function"],
  [{ cart: new Cart() }, "session.cart", "an instance of Cart"],
  [{ at: new Date(0) }, "session.at", "an instance of Date"],
  [{ seen: new Set() }, "session.seen", "an instance of Set"],
  [{ bytes: Buffer.of(1) }, "session.bytes", "an instance of Buffer"],
  [{ id: 7n }, "session.id", "a bigint"],
  [{ price: Number.NaN }, "session.price", "NaN"],
  [{ price: Number.POSITIVE_INFINITY }, "session.price", "Infinity"],
  [{ mark: Symbol("x") }, "session.mark", "a symbol"],
  [[undefined], "session[0]", "undefined"],
  [undefined, "session", "undefined"],
  [{ "小明 said": { at: 1n } }, "session[…].at", "a bigint"],
  [cyclic(), "session.items[0].cart", "an object that contains itself"],
  [nested(101), "session", "more"],
])("%# names what is no plain data, and how to mend it", (value, field, received) => {
  const error = refusal(value);
  expect(error).toMatchObject({ code: "DATA_REFUSED", transient: false, field });
  expect(error.message).toContain(`received ${received}. `);
  expect(error.message).toMatch(/\. [A-Z].+\.$/);
});

test.each([
  [null, "null"],
  [{ a: undefined, b: 1 }, '{"b":1}'],
  [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  [nested(100), `${"[".repeat(100)}1${"]".repeat(100)}`],
  [{ "any key": "\ud800" }, '{"any key":"\\ud800"}'],
])("%# is plain data", (value, text) => {
  expect(toPlainText(value, "session", 1_000)).toBe(text);
});

test("the same object in two places is no cycle", () => {
  const item = { sku: "latte" };
  expect(JSON.parse(toPlainText([item, item], "session", 100))).toEqual([item, item]);
});

test("the limit counts bytes, and very many values are refused without being written out", () => {
  expect(toPlainText("é".repeat(49), "session", 100)).toHaveLength(51);
  expect(refusal("é".repeat(50), 100).message).toContain("at most 100 bytes");
  let doubled: unknown = 1;
  for (let level = 0; level < 60; level++) doubled = [doubled, doubled];
  expect(refusal(doubled).message).toContain("at most 65536 bytes");
});

test("what is accepted comes back as it was, and all of JSON is accepted", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = toPlainText(value, "session", 1_000_000);
      expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(value));
    }),
  );
  fc.assert(
    fc.property(fc.anything(), (value) => {
      try {
        toPlainText(value, "session", 1_000_000);
      } catch (error) {
        expect(error).toBeInstanceOf(DataRefusedError);
      }
    }),
  );
});
