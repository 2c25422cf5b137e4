import { expect, test } from "vitest";
import { drawBarPlot } from "../../../lab/bench/bar-plot.ts";

const draw = (...values: number[]) =>
  drawBarPlot({
    title: "Updates a second",
    subtitle: "three rounds",
    bars: values.map((value, index) => ({
      label: `bot ${index}`,
      value,
      note: `${value}/s`,
      ours: index === 0,
    })),
  });

const barsOf = (svg: string) =>
  [...svg.matchAll(/<rect class="(ours|other)" [^>]*width="(\d+)"/g)].map(([, kind, width]) => ({
    kind,
    width: Number(width),
  }));

test("the length of a bar is its share of the longest", () => {
  const [first, second, third] = barsOf(draw(50, 100, 0));
  expect(second?.width).toBeGreaterThan(100);
  expect(first?.width).toBe((second?.width ?? 0) / 2);
  expect(third?.width).toBe(0);
});

test("our bars have a colour of their own, in the light and in the dark", () => {
  expect(barsOf(draw(1, 2)).map(({ kind }) => kind)).toEqual(["ours", "other"]);
  const [light = "", dark = ""] = draw(1).split("prefers-color-scheme: dark");
  for (const name of [".page", ".ours", ".other", "text"]) {
    expect(light).toContain(`${name} {`);
    expect(dark).toContain(`${name} {`);
  }
});

test("a figure that is not known has no bar", () => {
  expect(barsOf(draw(Number.NaN, 10)).map(({ width }) => width > 0)).toEqual([false, true]);
  expect(barsOf(draw(Number.NaN)).map(({ width }) => width)).toEqual([0]);
});

test("every row and the whole fit into the picture", () => {
  const svg = draw(1, 2, 3, 4, 5, 6);
  const height = Number(/height="(\d+)" role/.exec(svg)?.[1]);
  const bottoms = [...svg.matchAll(/y="(\d+)" width="\d+" height="(\d+)"/g)].map(
    ([, y, bar]) => Number(y) + Number(bar),
  );
  expect(bottoms).toHaveLength(6);
  expect(Math.max(...bottoms)).toBeLessThan(height);
});

test("words with signs of markup stay words", () => {
  const bar = { label: "<this> & that", value: 1, note: "", ours: true };
  const svg = drawBarPlot({ title: "a < b", subtitle: "", bars: [bar] });
  expect(svg).toContain("&lt;this&gt; &amp; that");
  expect(svg).toContain("a &lt; b");
});
