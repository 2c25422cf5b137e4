/** Call message: the queue message of a recorded call, for methods that Telegraf knows or not. */
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { Input, Telegram } from "telegraf";
import { describe, expect, test } from "vitest";
import type { NewMessage } from "../../../bot/core/message.ts";
import { toCallMessage } from "../../../bot/telegram/delivery/call-message.ts";

const receivedAtEpochMs = 1_000_000;
const options = { type: "send", priority: "normal", receivedAtEpochMs } as const;
const record = (method: string, payload: unknown) => toCallMessage(method, payload, options);
const here = fileURLToPath(import.meta.url);

/** Records the messages made from the calls that Telegraf makes. */
class Recording extends Telegram {
  readonly messages: NewMessage[] = [];

  constructor() {
    super("1:unused");
  }

  override async callApi(method: string, payload: unknown): Promise<never> {
    this.messages.push(record(method, payload));
    return true as never;
  }
}

async function recorded(call: (telegram: Telegram) => Promise<unknown>): Promise<NewMessage> {
  const telegram = new Recording();
  await call(telegram);
  expect(telegram.messages).toHaveLength(1);
  return telegram.messages[0] as NewMessage;
}

describe("an edit replaces", () => {
  const key = (method: string, fields: object) => record(method, fields).replaces;
  const text = { chat_id: 1, message_id: 5, text: "a" };

  test("an edit of the same field of the same message", () => {
    expect(key("editMessageText", text)).toBeDefined();
    expect(key("editMessageText", { ...text, text: "b" })).toBe(key("editmessagetext", text));
    const inline = { inline_message_id: "x", text: "a" };
    expect(key("editMessageText", inline)).toBeDefined();
    expect(record("editMessageText", inline).lane).toBe("inline:x");
  });

  test.each<[string, string, object]>([
    ["another message", "editMessageText", { ...text, message_id: 6 }],
    ["another field", "editMessageReplyMarkup", text],
    ["a message of another account", "editMessageText", { ...text, business_connection_id: "b" }],
  ])("not %s", (_, method, fields) => {
    expect(key(method, fields)).toBeDefined();
    expect(key(method, fields)).not.toBe(key("editMessageText", text));
  });

  test.each(["sendMessage", "deleteMessage", "stopPoll"])("nothing when it is %s", (method) => {
    expect(key(method, text)).toBeUndefined();
  });
});

describe("Telegraf's own methods", () => {
  const photo = (media: string) => ({ type: "photo", media }) as const;
  test.each<
    [string, (telegram: Telegram) => Promise<unknown>, string, Partial<NewMessage>, object]
  >([
    [
      "sendMessage",
      (t) => t.sendMessage(5, "hi"),
      "chat:5",
      { floodScope: "5", floodCost: 1 },
      { chat_id: 5, text: "hi" },
    ],
    ["sendMessage", (t) => t.sendMessage("@news", "hi"), "chat:@news", { floodScope: "@news" }, {}],
    ["sendMessage", (t) => t.sendMessage(-100, "hi"), "chat:-100", { floodScope: "-100" }, {}],
    [
      "sendPhoto",
      (t) => t.sendPhoto(5, "file-id"),
      "chat:5",
      { floodCost: 1 },
      { photo: "file-id" },
    ],
    [
      "sendPhoto",
      (t) => t.sendPhoto(5, Input.fromURL("http://a/b.png")),
      "chat:5",
      {},
      { photo: "http://a/b.png" },
    ],
    [
      "sendDocument",
      (t) => t.sendDocument(5, Input.fromLocalFile("/a/b", "c.pdf")),
      "chat:5",
      {},
      { document: { source: "/a/b", filename: "c.pdf" } },
    ],
    [
      "sendMediaGroup",
      (t) => t.sendMediaGroup(5, [photo("a"), photo("b"), photo("c")]),
      "chat:5",
      { floodCost: 3 },
      {},
    ],
    [
      "editMessageText",
      (t) => t.editMessageText(5, 7, undefined, "new"),
      "chat:5",
      { floodCost: 1 },
      { message_id: 7 },
    ],
    [
      "editMessageText",
      (t) => t.editMessageText(undefined, undefined, "inline-id", "new"),
      "inline:inline-id",
      {},
      {},
    ],
    ["deleteMessage", (t) => t.deleteMessage(5, 7), "chat:5", {}, { message_id: 7 }],
    ["copyMessage", (t) => t.copyMessage(5, 6, 7), "chat:5", {}, { from_chat_id: 6 }],
    [
      "forwardMessages",
      (t) => t.forwardMessages(5, 6, [1, 2, 3, 4]),
      "chat:5",
      { floodCost: 4 },
      {},
    ],
    ["deleteMessages", (t) => t.deleteMessages(5, [1, 2, 3, 4]), "chat:5", { floodCost: 1 }, {}],
    [
      "sendChatAction",
      (t) => t.sendChatAction(5, "typing"),
      "chat:5",
      { floodCost: 0, expiresAtEpochMs: 1_005_000 },
      {},
    ],
    ["pinChatMessage", (t) => t.pinChatMessage(5, 7), "chat:5", {}, {}],
    ["banChatMember", (t) => t.banChatMember(-100, 9), "chat:-100", {}, {}],
    [
      "answerCallbackQuery",
      (t) => t.answerCbQuery("q"),
      "callback_query_id:q",
      { pool: "answering", expiresAtEpochMs: 1_060_000 },
      {},
    ],
    [
      "answerInlineQuery",
      (t) => t.answerInlineQuery("q", []),
      "inline_query_id:q",
      { pool: "answering", expiresAtEpochMs: 1_030_000 },
      {},
    ],
    [
      "answerPreCheckoutQuery",
      (t) => t.answerPreCheckoutQuery("q", true),
      "pre_checkout_query_id:q",
      { pool: "answering", expiresAtEpochMs: 1_010_000 },
      {},
    ],
    [
      "answerShippingQuery",
      (t) => t.answerShippingQuery("q", false, undefined, "no"),
      "shipping_query_id:q",
      { pool: "answering" },
      {},
    ],
    ["setMyCommands", (t) => t.setMyCommands([]), "bot:setmycommands", { pool: "sending" }, {}],
    ["setStickerSetTitle", (t) => t.setStickerSetTitle("s", "t"), "bot:setstickersettitle", {}, {}],
  ])("%s", async (method, call, lane, expected, payload) => {
    const message = await recorded(call);
    expect(message).toMatchObject({ lane, type: "send", priority: "normal", ...expected });
    expect(message.payload).toMatchObject({ method, payload });
    expect(JSON.parse(JSON.stringify(message.payload))).toEqual(message.payload);
  });
});

test.each([
  ["sendFutureThing", { chat_id: 5, thing: { deep: [1] } }, "sending", "chat:5"],
  ["refundStarPayment", { user_id: 9, telegram_payment_charge_id: "c" }, "sending", "chat:9"],
  ["answerWebAppQuery", { web_app_query_id: "w", result: {} }, "answering", "web_app_query_id:w"],
  ["answerFutureQuery", { future_query_id: "f" }, "answering", "future_query_id:f"],
  ["doSomethingGlobal", {}, "sending", "bot:dosomethingglobal"],
  ["SENDMESSAGE", { chat_id: 5 }, "sending", "chat:5"],
])("%s, which Telegraf does not know, has its lane", (method, payload, pool, lane) => {
  expect(record(method, payload)).toMatchObject({ pool, lane, payload: { method, payload } });
});

test("any plain data in a call comes back from the store unchanged", () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue({ maxDepth: 6 }), (method, value) => {
      const { payload } = record(method, { value });
      expect(JSON.parse(JSON.stringify(payload))).toEqual(
        JSON.parse(JSON.stringify({ method, payload: { value } })),
      );
    }),
  );
});

test("undefined fields are left out, as in JSON", () => {
  expect(record("sendMessage", { chat_id: 5, reply_markup: undefined }).payload).toEqual({
    method: "sendMessage",
    payload: { chat_id: 5 },
  });
});

describe("a value that cannot be stored is refused with the name of its field", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  test.each<[string, unknown, string]>([
    ["a stream", { document: { source: createReadStream(here) } }, "payload.document.source"],
    ["a buffer", { document: { source: Buffer.from("x") } }, "payload.document.source"],
    ["a buffer in an album", { media: [{ media: Buffer.from("x") }] }, "payload.media[0].media"],
    ["a function", { text: () => "x" }, "payload.text"],
    ["a date", { at: new Date(0) }, "payload.at"],
    ["a map", { map: new Map() }, "payload.map"],
    ["not a number", { n: Number.NaN }, "payload.n"],
    ["a cycle", cyclic, "payload.self"],
    ["undefined in a list", { list: [undefined] }, "payload.list[0]"],
    ["a class", new (class Thing {})(), "payload"],
  ])("%s", (_, payload, field) => {
    expect(() => record("sendDocument", payload)).toThrow(
      expect.objectContaining({
        code: "CALL_UNRECORDABLE",
        message: expect.stringContaining(field),
        hint: expect.stringContaining("plain data"),
      }),
    );
  });

  test("a call of more than a mebibyte", () => {
    const text = "x".repeat(1024 * 1024);
    expect(() => record("sendMessage", { chat_id: 5, text })).toThrow(/1048576/);
  });
});
