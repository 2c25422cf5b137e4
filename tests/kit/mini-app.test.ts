/** Mini App of a module: names that cannot be meant are refused with what to do. */
import { expect, test } from "vitest";
import { createMiniApp } from "../../bot/kit/mini-app.ts";

test.each([
  ["a name that is none", "buy it", () => {}, /miniApp\.act: name: expected 1 to 100 letters/],
  ["a name that is no text", 7, () => {}, /received a number/],
  ["what is no function", "buy", "later", /miniApp\.act: buy: expected a function.*async \(ctx/],
])("%s is refused", (_, name, handler, message) => {
  const { kit } = createMiniApp(undefined, 1);
  expect(() => kit.act(name as string, handler as never)).toThrow(message);
});

test("a name is taken once, for questions and for acts apart", () => {
  const { acts, asks, kit } = createMiniApp("https://shop.example/app/", 1);
  kit.ask("orders", () => []);
  kit.act("orders", () => undefined);
  expect(() => kit.ask("orders", () => [])).toThrow(
    /miniApp\.ask: orders: expected a name of its own/,
  );
  expect(() => kit.act("orders", () => [])).toThrow(/Choose another name/);
  expect([[...acts], [...asks.keys()], kit.url]).toEqual([
    ["orders"],
    ["orders"],
    "https://shop.example/app/",
  ]);
});
