import { expect, test } from "vitest";
import { formatText, plainText } from "../../sandbox/text/formatted-text.ts";

const entity = (type: string, offset: number, length: number, more = {}) => ({
  type,
  offset,
  length,
  ...more,
});

test.for([
  {
    mode: "HTML",
    raw: "<b>bold <i>both</i></b> &lt;&amp;&#33;&#x41;&nbsp",
    text: "bold both <&!A&nbsp",
    entities: [entity("bold", 0, 9), entity("italic", 5, 4)],
  },
  {
    mode: "html",
    raw: '<a href="https://e.com/?a=1&b=2">x</a>',
    text: "x",
    entities: [entity("text_link", 0, 1, { url: "https://e.com/?a=1&b=2" })],
  },
  {
    mode: "HTML",
    raw: '<pre><code class="language-ts">a < 1</code></pre>'.replace("< 1", "&lt; 1"),
    text: "a < 1",
    entities: [entity("pre", 0, 5, { language: "ts" })],
  },
  {
    mode: "HTML",
    raw: '<span class="tg-spoiler">s</span><tg-spoiler>t</tg-spoiler></>'.replace("</>", ""),
    text: "st",
    entities: [entity("spoiler", 0, 2)],
  },
  { mode: "HTML", raw: "  <b> x </b>  ", text: "x", entities: [entity("bold", 0, 1)] },
  {
    mode: "Markdown",
    raw: "*b* _i_ `c` [l](http://e.com) \\*x",
    text: "b i c l *x",
    entities: [
      entity("bold", 0, 1),
      entity("italic", 2, 1),
      entity("code", 4, 1),
      entity("text_link", 6, 1, { url: "http://e.com" }),
    ],
  },
  {
    mode: "Markdown",
    raw: "```js\ncode```",
    text: "code",
    entities: [entity("pre", 0, 4, { language: "js" })],
  },
  {
    mode: "MarkdownV2",
    raw: "*b _i_ __u__* ~s~ ||p||",
    text: "b i u s p",
    entities: [
      entity("bold", 0, 5),
      entity("italic", 2, 1),
      entity("underline", 4, 1),
      entity("strikethrough", 6, 1),
      entity("spoiler", 8, 1),
    ],
  },
  {
    mode: "MarkdownV2",
    raw: "1\\.5 \\!\n>quote\nafter",
    text: "1.5 !\nquote\nafter",
    entities: [entity("blockquote", 6, 5)],
  },
  {
    mode: "MarkdownV2",
    raw: "[l](http://e\\.com/\\)) `a*b` ```py\nx_y```",
    text: "l a*b x_y",
    entities: [
      entity("text_link", 0, 1, { url: "http://e.com/)" }),
      entity("code", 2, 3),
      entity("pre", 6, 3, { language: "py" }),
    ],
  },
  {
    mode: "",
    raw: "/start@bot #tag @name https://e.com/x. a@e.com",
    text: "/start@bot #tag @name https://e.com/x. a@e.com",
    entities: [
      entity("bot_command", 0, 10),
      entity("hashtag", 11, 4),
      entity("mention", 16, 5),
      entity("url", 22, 15),
      entity("email", 39, 7),
    ],
  },
  {
    mode: "HTML",
    raw: "<code>/start</code> 😀 <b>x</b>",
    text: "/start 😀 x",
    entities: [entity("code", 0, 6), entity("bold", 10, 1)],
  },
])("$mode: $raw", ({ mode, raw, text, entities }) => {
  expect(formatText(raw, mode, undefined)).toEqual({ text, entities });
});

test.for([
  { mode: "HTML", raw: "é<b>x", message: `Can't find end tag corresponding to start tag "b"` },
  { mode: "HTML", raw: "é<b", message: "Unclosed start tag at byte offset 2" },
  { mode: "HTML", raw: "<h1>x</h1>", message: 'Unsupported start tag "h1" at byte offset 0' },
  { mode: "HTML", raw: "é</b>", message: "Unexpected end tag at byte offset 2" },
  {
    mode: "HTML",
    raw: "<b>x</i>",
    message: `Unmatched end tag at byte offset 4, expected "</b>", found "</i>"`,
  },
  { mode: "HTML", raw: "<b>x</b", message: "Unclosed end tag at byte offset 4" },
  {
    mode: "Markdown",
    raw: "é*x",
    message: "Can't find end of the entity starting at byte offset 2",
  },
  {
    mode: "MarkdownV2",
    raw: "hi!",
    message: "Character '!' is reserved and must be escaped with the preceding '\\'",
  },
  { mode: "MarkdownV2", raw: "é*x", message: "Can't find end of Bold entity at byte offset 2" },
  { mode: "MarkdownV2", raw: "[x](y", message: "Can't find end of a URL at byte offset 3" },
])("$mode: $raw is refused", ({ mode, raw, message }) => {
  expect(() => formatText(raw, mode, undefined)).toThrow(
    `Bad Request: can't parse entities: ${message}`,
  );
});

test("an unknown parse mode and a raw text beyond 32,768 bytes are refused", () => {
  expect(() => formatText("x", "BBCode", undefined)).toThrow("Bad Request: unsupported parse_mode");
  expect(() => formatText("é".repeat(16_385), "", undefined)).toThrow(
    "Bad Request: text is too long",
  );
});

test("entities that were given are kept when they are well formed", () => {
  const given = [entity("bold", 0, 2), entity("bold", -1, 2), { type: 5 }, null];
  expect(formatText("abc", "", given).entities).toEqual([entity("bold", 0, 2)]);
});

test("what a person types is not markup", () => {
  expect(plainText(" <b>/start</b> ")).toEqual({ text: "<b>/start</b>", entities: [] });
});

test("an entity beyond the text's end is refused, and a cashtag is detected", () => {
  const beyond = [{ type: "bold", offset: 1, length: 9 }];
  expect(() => formatText("abc", "", beyond)).toThrow(
    "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 10",
  );
  expect(plainText("$USD and $usd, a$USD").entities).toEqual([entity("cashtag", 0, 4)]);
});

test("a quote that ends with the mark of a spoiler is folded, after an empty bold or without", () => {
  const folded = [entity("expandable_blockquote", 0, 11)];
  expect(formatText("**>hidden\n>more||", "MarkdownV2", undefined)).toEqual({
    text: "hidden\nmore",
    entities: folded,
  });
  expect(formatText(">hidden\n>more||", "MarkdownV2", undefined).entities).toEqual(folded);
  const two = formatText(">a\n**>b||\nc", "MarkdownV2", undefined);
  expect(two.entities.map(({ type }) => type)).toContain("expandable_blockquote");
});
