/** Text fields: what is left of a call when the markup is taken out of it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "../../../bot/core/message.ts";
import { simplify } from "../../../bot/telegram/delivery/text-fields-rules.ts";

const link = { type: "text_link", offset: 0, length: 1, url: "https://x.org" };

test.each<[string, JsonObject, JsonObject | undefined]>([
  ["plain text has nothing to simplify", { chat_id: 1, text: "a < b & *c*" }, undefined],
  [
    "HTML",
    { chat_id: 1, text: "<b>5</b> &amp; <x>6</x>", parse_mode: "HTML" },
    { chat_id: 1, text: "5 & 6" },
  ],
  [
    "MarkdownV2",
    { text: "*a* \\- snake_case", parse_mode: "MarkdownV2" },
    { text: "a - snake_case" },
  ],
  ["entities", { text: "a", entities: [link] }, { text: "a" }],
  ["a long text", { text: "x".repeat(5_000) }, { text: "x".repeat(4_096) }],
  [
    "a long caption",
    { photo: "p", caption: "👍".repeat(600), caption_entities: [link] },
    { photo: "p", caption: "👍".repeat(512) },
  ],
  ["nothing but markup", { text: "<b></b>", parse_mode: "HTML" }, { text: "<b></b>" }],
  [
    "an album and its keyboard",
    {
      media: [
        { type: "photo", media: "p", caption: "<i>a</i>", parse_mode: "HTML" },
        { media: "q" },
      ],
      reply_markup: { inline_keyboard: [[{ text: "<b>", callback_data: "1" }]] },
    },
    {
      media: [{ type: "photo", media: "p", caption: "a" }, { media: "q" }],
      reply_markup: { inline_keyboard: [[{ text: "<b>", callback_data: "1" }]] },
    },
  ],
  [
    "an answer to an inline query",
    { results: [{ input_message_content: { message_text: "_a_", parse_mode: "Markdown" } }] },
    { results: [{ input_message_content: { message_text: "a" } }] },
  ],
  [
    "a poll",
    {
      question: "*q*",
      question_parse_mode: "Markdown",
      options: [{ text: "`o`", text_parse_mode: "Markdown" }],
    },
    { question: "q", options: [{ text: "o" }] },
  ],
])("%s", (_, fields, expected) => {
  expect(simplify(fields)).toEqual(expected);
});

test("a simplified call has nothing left to simplify", () => {
  const text = fc.array(fc.constantFrom("<b>", "</b>", "*", "_", "a", " ", "👍", "&lt;", "\\"));
  const call = fc.record({
    text: text.map((pieces) => pieces.join("").repeat(200)),
    parse_mode: fc.constantFrom("HTML", "Markdown", "MarkdownV2", "other", 5),
    entities: fc.constantFrom([], [link], null),
  });
  fc.assert(
    fc.property(call, (fields) => {
      const simplified = simplify(fields) as JsonObject;
      expect(simplify(simplified)).toBeUndefined();
      expect((simplified["text"] as string).length).toBeLessThanOrEqual(4_096);
      expect(Object.keys(simplified)).toEqual(["text"]);
    }),
  );
});
