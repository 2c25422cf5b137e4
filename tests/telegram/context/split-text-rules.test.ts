/** Split text: where a long text is cut, and what every cut must keep. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitText } from "../../../bot/telegram/context/split-text-rules.ts";
import type { Entity } from "../../../bot/telegram/delivery/markup-rules.ts";

const entity = (offset: number, length: number, type = "bold"): Entity => ({
  type,
  offset,
  length,
});
const family = "👨‍👩‍👧";

describe("a text is cut", () => {
  test.each<[string, string, Entity[], number, string[]]>([
    ["not at all when it fits", "abc def", [], 7, ["abc def"]],
    ["at the last line end", "one two\nthree\nfour five", [], 15, ["one two\nthree", "four five"]],
    ["at a word when the line end comes early", "a\nbcd efg hij", [], 10, ["a\nbcd efg", "hij"]],
    ["and keeps the indentation of the next line", "abcdef\n\n  ghi", [], 8, ["abcdef", "  ghi"]],
    ["within a word when nothing else is there", "abcdefghij", [], 4, ["abcd", "efgh", "ij"]],
    ["before a long word", "ab cdefghij", [], 8, ["ab", "cdefghij"]],
    ["before an entity that fits", "abcdef ghi jkl", [entity(7, 7)], 12, ["abcdef", "ghi jkl"]],
    [
      "between two entities without a space",
      "abcdef",
      [entity(0, 3), entity(3, 3)],
      5,
      ["abc", "def"],
    ],
    ["within an entity that fits nowhere", "abc def ghi", [entity(0, 11)], 8, ["abc def", "ghi"]],
    ["before a grapheme", `abc${family}`, [], 9, ["abc", family]],
    ["within a grapheme that fits nowhere", "👍".repeat(2), [], 3, ["👍", "👍"]],
    ["without blank parts", `a${" ".repeat(20)}b`, [], 4, ["a", "b"]],
  ])("%s", (_, text, entities, limit, expected) => {
    const parts = splitText({ text, entities }, () => limit);
    expect(parts.map((part) => part.text)).toEqual(expected);
  });

  test("a blank text has no parts", () => {
    expect(splitText({ text: " \n ".repeat(9), entities: [] }, () => 4)).toEqual([]);
  });

  test("an enormous grapheme is cut between code points", () => {
    const text = `e${"\u0301".repeat(50)}`;
    expect(
      splitText({ text, entities: [] }, () => 8)
        .map((part) => part.text)
        .join(""),
    ).toBe(text);
  });

  test("an entity that is cut goes on in the next part", () => {
    const link: Entity = { type: "text_link", url: "https://x.org", offset: 2, length: 9 };
    expect(splitText({ text: "a bcd efg hij", entities: [link] }, () => 6)).toEqual([
      { text: "a bcd", entities: [{ ...link, offset: 2, length: 3 }] },
      { text: "efg", entities: [{ ...link, offset: 0, length: 3 }] },
      { text: "hij", entities: [{ ...link, offset: 0, length: 1 }] },
    ]);
  });
});

const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(" ", "\n", "\r\n", "  ", "a", "word ", family, "e\u0301", "🇩🇪", "👍🏽", "👍"),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(""));
const marked = texts.chain((text) =>
  fc.array(fc.tuple(fc.nat(text.length), fc.nat(text.length)), { maxLength: 6 }).map((ranges) => ({
    text,
    entities: ranges
      .map(([a, b]) => entity(Math.min(a, b), Math.abs(a - b)))
      .filter(({ length }) => length > 0)
      .toSorted((a, b) => a.offset - b.offset || b.length - a.length),
  })),
);
const bare = (text: string) => text.replace(/\s+/gu, "");

test("nothing is lost, too long, blank or broken, and entities keep their words", () => {
  const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  fc.assert(
    fc.property(marked, fc.integer({ min: 2, max: 40 }), (whole, limit) => {
      const parts = splitText(whole, () => limit);
      expect(bare(parts.map((part) => part.text).join(""))).toBe(bare(whole.text));
      const longest = Math.max(
        0,
        ...[...graphemes.segment(whole.text)].map(({ segment }) => segment.length),
      );
      let from = 0;
      for (const { entities, text } of parts) {
        expect(text.length).toBeLessThanOrEqual(limit);
        expect(text.trim()).not.toBe("");
        const at = whole.text.indexOf(text, from);
        expect(at).toBeGreaterThanOrEqual(0);
        from = at + text.length;
        if (whole.text.isWellFormed()) expect(text.isWellFormed()).toBe(true);
        if (longest <= limit) {
          for (const edge of [at, from]) {
            if (edge < whole.text.length) {
              expect(graphemes.segment(whole.text).containing(edge)?.index).toBe(edge);
            }
          }
        }
        for (const { length, offset } of entities) {
          expect(length).toBeGreaterThan(0);
          expect(offset + length).toBeLessThanOrEqual(text.length);
        }
      }
      const words = (of: typeof whole) =>
        of.entities.reduce(
          (sum, { length, offset }) => sum + bare(of.text.slice(offset, offset + length)).length,
          0,
        );
      expect(parts.reduce((sum, part) => sum + words(part as typeof whole), 0)).toBe(words(whole));
    }),
    { numRuns: 1_000 },
  );
});
