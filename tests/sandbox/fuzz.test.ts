/** Fuzz: the sandbox answers any input as Telegram would, and goes on. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { controlPath, operationNames } from "../../sandbox/control/operations.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { exchangeBytes, post, startConversation } from "./bot-client.ts";

const methods = [
  "getUpdates",
  "sendMessage",
  "sendPhoto",
  "sendMediaGroup",
  "sendInvoice",
  "editMessageText",
  "deleteMessage",
  "deleteMessages",
  "copyMessages",
  "forwardMessage",
  "answerCallbackQuery",
  "answerInlineQuery",
  "answerPreCheckoutQuery",
  "setMyCommands",
  "getChat",
  "getChatMember",
  "getFile",
  "sendPoll",
  "sendLocation",
  "setMessageReaction",
  "pinChatMessage",
  "sendChatAction",
  "refundStarPayment",
  "createInvoiceLink",
  "getStarTransactions",
  "restrictChatMember",
  "setChatMenuButton",
  "nonsense",
] as const;
const names = [
  "chat_id",
  "text",
  "message_id",
  "entities",
  "parse_mode",
  "reply_markup",
  "reply_parameters",
  "photo",
  "media",
  "message_ids",
  "from_chat_id",
  "user_id",
  "offset",
  "limit",
  "timeout",
  "callback_query_id",
  "results",
  "commands",
  "options",
  "prices",
  "title",
  "payload",
  "currency",
  "description",
  "allowed_updates",
  "scope",
  "reaction",
  "latitude",
  "longitude",
  "caption",
];
const interesting = fc.constantFrom<unknown>(
  42,
  "42",
  -1,
  0,
  "",
  null,
  [],
  {},
  "@x",
  1e21,
  "\uD800",
  "<b>",
  "*",
);
const values = fc.oneof(interesting, fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 4 }));
const parameters = fc.dictionary(fc.constantFrom(...names), values, { maxKeys: 8 });

test("no parameters crash a method: every answer is Telegram's, and names no defect", async () => {
  const { call, control } = await startConversation({ flood: "off", pacing: false });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...methods), parameters, async (method, given) => {
      const answer = await call(method, { ...given, timeout: 0 });
      expect(answer.body.description ?? "").not.toContain("defect");
      expect(typeof answer.body.ok).toBe("boolean");
      expect(answer.body.ok).toBe(answer.status === 200);
      if (!answer.body.ok) expect(answer.body.error_code).toBe(answer.status);
    }),
    { numRuns: 1_500 },
  );
  expect((await call("getMe")).status).toBe(200);
  expect(control.queue().waiting).toBe(false);
}, 60_000);

test("bodies of random bytes under any content type are answered or refused", async () => {
  const { call, url } = await startConversation({ flood: "off", pacing: false });
  const types = fc.oneof(
    fc.constantFrom(
      "application/json",
      "application/x-www-form-urlencoded",
      "text/plain",
      "",
      "multipart/form-data",
      'multipart/form-data; boundary="b"',
    ),
    fc.stringMatching(/^[ -~]{0,40}$/),
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }),
    fc
      .uint8Array({ maxLength: 200 })
      .map((part) =>
        Buffer.concat([
          Buffer.from('--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n'),
          part,
          Buffer.from("\r\n--b--"),
        ]),
      ),
  );
  await fc.assert(
    fc.asyncProperty(types, bodies, async (type, body) => {
      const answer = await post(
        `${url}/bot${sandboxToken}/sendMessage`,
        Buffer.from(body),
        type.trim() || "x",
      );
      expect([200, 400, 401, 404, 413, 415]).toContain(answer.status);
      expect(answer.text).not.toContain("defect");
    }),
    { numRuns: 400 },
  );
  expect((await call("getMe")).status).toBe(200);
}, 60_000);

test("random bytes on the socket end with a refusal or a closed connection", async () => {
  const { call, port } = await startConversation();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
      const answer = await exchangeBytes(
        port,
        Buffer.concat([Buffer.from(bytes), Buffer.from("\r\n\r\n")]),
        20,
      );
      expect(answer === "" || answer.startsWith("HTTP/1.1 ")).toBe(true);
    }),
    { numRuns: 60 },
  );
  expect((await call("getMe")).status).toBe(200);
}, 60_000);

test("control requests of any shape are refused with a reason, and do no harm", async () => {
  const { call, url } = await startConversation();
  // These end the conversation, or let the time pass that the other tests need.
  const enders = ["outage", "revokeToken", "advanceClock"];
  const operations = operationNames.filter((name) => !enders.includes(name)).map(controlPath);
  const fields = [
    "id",
    "userId",
    "chatId",
    "messageId",
    "text",
    "update",
    "fault",
    "match",
    "steps",
    "to",
    "access",
    "url",
    "count",
    "messages",
    "firstName",
    "title",
    "limit",
    "after",
    "link",
    "reactions",
    "optionIds",
    "status",
    "rights",
    "query",
    "inlineQueryId",
    "resultId",
    "connectionId",
    "amount",
    "stars",
    "managedBotId",
    "threadId",
    "replyToMessageId",
    "attachment",
    "caption",
    "botId",
    "name",
    "emojis",
    "texts",
    "done",
    "undone",
    "address",
    "orderInfo",
    "shippingQueryId",
    "shippingOptionId",
  ];
  const requests = fc.dictionary(fc.constantFrom(...fields), values, { maxKeys: 6 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...operations), requests, async (operation, request) => {
      const answer = await post(`${url}${operation}`, JSON.stringify(request));
      expect([200, 400, 404]).toContain(answer.status);
      expect(answer.body?.error ?? "").not.toMatch(
        /of undefined|not a function|not iterable|of null/,
      );
      if (answer.status !== 200) expect(answer.body.error).toBeTypeOf("string");
    }),
    { numRuns: 1_500 },
  );
  await post(`${url}/sandbox/clear-faults`, "{}");
  await post(`${url}/sandbox/stop-scenario`, "{}");
  expect((await call("getMe")).status).toBe(200);
}, 60_000);
