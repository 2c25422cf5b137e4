/** Split call: which messages one call with a long text becomes. */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../bot/core/message.ts";
import { splitCall } from "../../../bot/telegram/context/split-call-rules.ts";

const keyboard = { inline_keyboard: [[{ text: "OK", callback_data: "ok" }]] };
const split = (method: string, payload: JsonObject) => splitCall({ method, payload });
const a = "a".repeat(4_000);
const b = "b".repeat(4_000);

describe("a long text", () => {
  test("becomes messages: the reply is the first, the keyboard is under the last", () => {
    const payload = {
      chat_id: 1,
      text: `${a}\n${b}\nc`,
      disable_notification: true,
      reply_parameters: { message_id: 5 },
      message_effect_id: "7",
      reply_markup: keyboard,
    };
    expect(split("sendMessage", payload)).toEqual([
      {
        method: "sendMessage",
        payload: {
          chat_id: 1,
          text: a,
          disable_notification: true,
          reply_parameters: { message_id: 5 },
          message_effect_id: "7",
        },
      },
      {
        method: "sendMessage",
        payload: {
          chat_id: 1,
          text: `${b}\nc`,
          disable_notification: true,
          reply_markup: keyboard,
        },
      },
    ]);
  });

  test.each([
    ["HTML", `<b>${a} ${b}</b>`],
    ["MarkdownV2", `*${a} ${b}*`],
  ])("in %s goes on in the next message as it was in the last", (parse_mode, text) => {
    const bold = [{ type: "bold", offset: 0, length: 4_000 }];
    expect(split("sendMessage", { chat_id: 1, text, parse_mode })).toEqual([
      { method: "sendMessage", payload: { chat_id: 1, text: a, entities: bold } },
      { method: "sendMessage", payload: { chat_id: 1, text: b, entities: bold } },
    ]);
  });

  test("with an array of entities has them in the right places", () => {
    const entities = [{ type: "italic", offset: 4_001, length: 2 }];
    const [, second] = split("sendMessage", { chat_id: 1, text: `${a}\n${b}`, entities });
    expect(second?.payload).toEqual({
      chat_id: 1,
      text: b,
      entities: [{ type: "italic", offset: 0, length: 2 }],
    });
  });

  test("is left alone when only its markup is long", () => {
    const payload = { chat_id: 1, text: "&amp;".repeat(4_000), parse_mode: "HTML" };
    expect(split("sendMessage", payload)).toEqual([{ method: "sendMessage", payload }]);
  });

  test.each(["editMessageText", "answerCallbackQuery"])("of %s is left alone", (method) => {
    const payload = { chat_id: 1, text: `${a}\n${b}` };
    expect(split(method, payload)).toEqual([{ method, payload }]);
  });
});

describe("a long caption", () => {
  const caption = `${"c".repeat(1_000)}\n${a}\nend`;

  test("goes on in messages behind the media", () => {
    const payload = {
      chat_id: 1,
      photo: "p",
      message_thread_id: 3,
      has_spoiler: true,
      reply_to_message_id: 5,
      caption,
      reply_markup: keyboard,
    };
    expect(split("sendPhoto", payload)).toEqual([
      {
        method: "sendPhoto",
        payload: {
          chat_id: 1,
          photo: "p",
          message_thread_id: 3,
          has_spoiler: true,
          reply_to_message_id: 5,
          caption: "c".repeat(1_000),
        },
      },
      {
        method: "sendMessage",
        payload: {
          chat_id: 1,
          message_thread_id: 3,
          text: `${a}\nend`,
          reply_markup: keyboard,
        },
      },
    ]);
  });

  test("in an album goes on behind the album", () => {
    const media = [
      { type: "photo", media: "p", caption },
      { type: "photo", media: "q", caption: "short" },
    ];
    expect(split("sendMediaGroup", { chat_id: 1, media })).toEqual([
      {
        method: "sendMediaGroup",
        payload: {
          chat_id: 1,
          media: [{ type: "photo", media: "p", caption: "c".repeat(1_000) }, media[1]],
        },
      },
      { method: "sendMessage", payload: { chat_id: 1, text: `${a}\nend` } },
    ]);
  });
});
