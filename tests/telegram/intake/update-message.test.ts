/** Update message: the lane an update belongs to, and what makes it a duplicate. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chatIdOf,
  languageCodeOf,
  parseUpdate,
  toUpdateMessage,
} from "../../../bot/telegram/intake/update-message.ts";

const queue = (update: object) => toUpdateMessage({ update_id: 1, ...update }, "42");

describe("an update belongs to the lane of", () => {
  const chat = { id: -7 };
  const from = { id: 9, language_code: "zh-hans" };
  test.each<[string, object, string, string]>([
    ["its chat", { message: { chat, from } }, "chat:-7", "normal"],
    ["its channel", { channel_post: { chat } }, "chat:-7", "normal"],
    [
      "the chat of the message with the button",
      { callback_query: { id: "q", from, message: { chat } } },
      "chat:-7",
      "high",
    ],
    [
      "the user who pressed an inline message's button",
      { callback_query: { id: "q", from, inline_message_id: "i" } },
      "chat:9",
      "high",
    ],
    ["the user of an inline query", { inline_query: { id: "q", from } }, "chat:9", "high"],
    [
      "itself, for a check-out",
      { pre_checkout_query: { id: "q", from } },
      "pre_checkout_query:q",
      "high",
    ],
    ["itself, for a delivery", { shipping_query: { id: "q", from } }, "shipping_query:q", "high"],
    ["the user of a check-out without an id", { pre_checkout_query: { from } }, "chat:9", "high"],
    ["the chat whose membership changed", { my_chat_member: { chat, from } }, "chat:-7", "normal"],
    ["a voter", { poll_answer: { user: from } }, "chat:9", "normal"],
    ["its type, without a chat and a user", { poll: { id: "p" } }, "type:poll", "normal"],
    ["empty updates, without any field", {}, "type:empty", "normal"],
    ["a future type's chat", { future_thing: { chat } }, "chat:-7", "normal"],
  ])("%s", (_, update, lane, priority) => {
    expect(queue(update)).toMatchObject({ lane, priority, pool: "handling", type: "update" });
  });

  test("an update has a lane whatever its fields hold", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer(), (fields, id) => {
        const update = { ...fields, update_id: id };
        const message = toUpdateMessage(update, "42");
        expect(message.lane).not.toBe("");
        chatIdOf(update);
        languageCodeOf(update);
      }),
    );
  });
});

test("the same update of the same bot is a duplicate, and so is a press under another id", () => {
  expect(queue({ message: {} }).dedupeKeys).toEqual(["update:42:1"]);
  expect(queue({ callback_query: { id: "q" } }).dedupeKeys).toEqual([
    "update:42:1",
    "callback:42:q",
  ]);
});

test.each([
  [null],
  [7],
  ["text"],
  [{}],
  [{ update_id: "1" }],
  [{ update_id: 1.5 }],
  [{ update_id: 2 ** 60 }],
])("%j is not an update", (value) => {
  expect(parseUpdate(value)).toBeUndefined();
});
