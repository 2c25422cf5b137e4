/**
 * Bad input: any update gets a hint or is recorded as ignored, without an exception, and the next
 * works.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { displayName } from "../../../bot/shop/commands/format.ts";
import { texts } from "../../../bot/shop/commands/texts.ts";
import { exampleCatalogue } from "../shop-setup.ts";
import {
  ada,
  botName,
  buttonsOf,
  group,
  li,
  pressed,
  privateChat,
  said,
  setup,
} from "./bot-under-test.ts";

const from = { ...ada, is_bot: false };
const chat = privateChat(ada);
const base = { message_id: 5, date: 1, chat, from };
const command = { text: "/balance", entities: [{ type: "bot_command", offset: 0, length: 8 }] };

const ignored: readonly (readonly [what: string, content: object])[] = [
  ["malformed: update", {}],
  ["unsupported", { "Not A Kind": {} }],
  ["unsupported: future_kind", { future_kind: { from, chat } }],
  [
    "unsupported: channel_post",
    { channel_post: { message_id: 1, chat: { id: -1, type: "channel" } } },
  ],
  ["unsupported: edited_channel_post", { edited_channel_post: { ...base, ...command } }],
  ["unsupported: edited_message", { edited_message: { ...base, ...command } }],
  ["unsupported: poll", { poll: { id: "1", question: "?" } }],
  ["unsupported: poll_answer", { poll_answer: { poll_id: "1", user: from } }],
  ["unsupported: my_chat_member", { my_chat_member: { chat, from } }],
  ["unsupported: inline_query", { inline_query: { id: "1", from, query: "x" } }],
  ["unsupported: message_reaction", { message_reaction: { chat, message_id: 1 } }],
  ["malformed: update", { message: { ...base, ...command }, callback_query: { from } }],
  ["no sender", { message: null }],
  ["no sender", { message: 5 }],
  ["no sender", { message: "text" }],
  ["no sender", { message: [] }],
  ["no sender", { message: { message_id: 5, chat, ...command } }],
  ["malformed: message", { message: { ...base, ...command, chat: undefined } }],
  ["malformed: message", { message: { ...base, ...command, chat: { id: "1", type: "private" } } }],
  ["malformed: message", { message: { ...base, ...command, chat: { id: 1, type: "planet" } } }],
  ["malformed: message", { message: { ...base, ...command, from: null } }],
  ["malformed: message", { message: { ...base, ...command, from: { ...from, id: "1001" } } }],
  ["malformed: message", { message: { ...base, ...command, from: { ...from, id: -1 } } }],
  ["malformed: message", { message: { ...base, ...command, from: { ...from, id: 2 ** 60 } } }],
  ["malformed: message", { message: { ...base, ...command, message_id: {} } }],
  ["malformed: message", { message: { ...base, ...command, message_thread_id: "x" } }],
  ["malformed: message", { message: { ...base, text: 5 } }],
  ["malformed: message", { message: { ...base, text: { length: 3 } } }],
  ["sent by a bot", { message: { ...base, ...command, from: { ...from, is_bot: true } } }],
  ["sent on behalf of a chat", { message: { ...base, ...command, sender_chat: group } }],
  ["malformed: callback_query", { callback_query: null }],
  ["malformed: callback_query", { callback_query: { from, data: "buy", message: base } }],
  ["not addressed to the bot", { message: { ...base, chat: group, text: "lunch?" } }],
  ["not addressed to the bot", { message: { ...base, chat: group, text: "/play" } }],
  ["not addressed to the bot", { message: { ...base, chat: group, text: "/start@OtherBot" } }],
  ["not addressed to the bot", { message: { ...base, chat: group, photo: [] } }],
];

test.each(ignored)("ignored quietly: %s %j", async (reason, content) => {
  const { handle, events, tables } = setup();
  expect(await handle({ update_id: 9, ...content })).toEqual([]);
  expect(events).toEqual([{ type: "update.ignored", updateId: 9, reason }]);
  expect(tables.allAccounts).toEqual([]);
  expect(await handle(said(ada, "/start"))).toHaveLength(1);
});

test.each([{}, { update_id: "9" }, { update_id: null }, { update_id: 1.5 }, { update_id: {} }])(
  "an update with the id of %j is ignored without an id",
  async (id) => {
    const { handle, events } = setup();
    expect(await handle({ ...id, message: { ...base, ...command } })).toEqual([]);
    expect(events).toMatchObject([{ type: "update.ignored", updateId: undefined }]);
  },
);

test.each([
  { message: undefined },
  { message: base, data: undefined },
  { message: base, data: 5 },
  { message: base, data: { toString: "x" } },
  { message: { ...base, chat: null }, data: "buy" },
  { message: base, data: "buy", from: undefined },
  { message: base, data: "buy", from: { ...from, is_bot: true } },
  { inline_message_id: "7", message: undefined, data: "buy" },
  { message: base, data: undefined, game_short_name: "chess" },
])("a malformed press is still answered: %j", async (fields) => {
  const { handle, events } = setup();
  const query = { id: "42", from, ...fields };
  expect(await handle({ update_id: 9, callback_query: query })).toEqual([
    {
      method: "answerCallbackQuery",
      payload: { callback_query_id: "42", text: texts("en").staleButton },
    },
  ]);
  expect(events).toMatchObject([{ type: "update.ignored" }]);
});

test.each([
  ["hello", "unknownText"],
  ["", "unknownText"],
  ["x".repeat(65_536), "unknownText"],
  ["\ud83d", "unknownText"],
  ["/nothing", "unknownCommand"],
  [`/nothing@${botName}`, "unknownCommand"],
  [`/${"x".repeat(65_536)}`, "unknownCommand"],
  ["/balances", "unknownCommand"],
  ["/\ud83d", "unknownCommand"],
] as const)("%.20s gets a hint", async (text, hint) => {
  const { handle } = setup();
  expect(await handle(said(ada, text))).toMatchObject([{ payload: { text: texts("en")[hint] } }]);
  expect(await handle(said(li, text))).toMatchObject([{ payload: { text: texts("zh")[hint] } }]);
});

test.each([null, 5, "bot_command", [null], [{ type: "bot_command" }], [{ type: 5, offset: "x" }]])(
  "a text with the entities %j is treated as plain text",
  async (entities) => {
    const { handle } = setup();
    const calls = await handle({ update_id: 9, message: { ...base, text: "hm", entities } });
    expect(calls).toMatchObject([{ payload: { text: texts("en").unknownText } }]);
  },
);

test.each([{ photo: [] }, { sticker: {} }, { voice: null }, { caption: "/start", photo: [] }, {}])(
  "a message without text gets a hint: %j",
  async (content) => {
    const { handle } = setup();
    const calls = await handle({ update_id: 9, message: { ...base, ...content } });
    expect(calls).toMatchObject([{ payload: { text: texts("en").notText } }]);
  },
);

test("an unknown command that names this bot gets a hint in a group", async () => {
  const { handle } = setup();
  const calls = await handle(said(ada, `/nothing@${botName}`, group));
  expect(calls).toMatchObject([{ payload: { chat_id: group.id } }]);
});

test.each([
  "",
  "nonsense",
  "buy",
  "buy:",
  "buy:latte",
  "buy:latte:1250",
  "buy:latte:1250:",
  "buy:latte:-1:a.b",
  "buy:latte:1e3:a.b",
  "buy:latte:1250:a.b:c",
  "buyer:latte:1250:a.b",
  "drop",
  "item",
  "item:__proto__",
  "item:\ud83d",
  "order",
  "order:1",
  "order:1:-1",
  "order:9007199254740993:0",
  "order:1:999999999999999",
  "cancel:NaN:0",
  "cancel:1",
  "orders",
  "orders:-1",
  "orders:1.5",
  "orders:999999999999999",
  "x".repeat(65_536),
])("a press on %.40j is answered exactly once", async (data) => {
  const bot = setup();
  const calls = await bot.handle(pressed(ada, data));
  expect(calls.filter(({ method }) => method === "answerCallbackQuery")).toHaveLength(1);
  const bought = data === "buy:latte:1250:a.b:c" ? 1 : 0;
  expect(bot.tables.allOrders).toHaveLength(bought);
});

test.each([
  [" \n\u202e ", ""],
  ["A\ud83dB", "A\ufffdB"],
  ["a\u202eb\nc", "a b c"],
  ["x".repeat(65_536), "x".repeat(64)],
  ["😀".repeat(65), "😀".repeat(64)],
  ["<b>&amp;", "<b>&amp;"],
])("the name %.20j is shown as %.20j", (name, shown) => {
  expect(displayName(name)).toBe(shown);
});

test.each([undefined, 5, null, "", "\u202e", "\ud83d", "n".repeat(65_536), "<b>", "{}"])(
  "a person called %.20j is greeted",
  async (first_name) => {
    const { handle } = setup();
    for (const language_code of ["zh", "en", 5, null, "\ud83d"]) {
      const message = said(ada, "/start").message;
      const odd = { ...message, from: { ...from, first_name, language_code } };
      expect(await handle({ update_id: 9, message: odd })).toHaveLength(1);
    }
  },
);

test("the largest catalogue stays within Telegram's limits", async () => {
  const products = Array.from({ length: 50 }, (_, index) => ({
    sku: `${"s".repeat(22)}${String(index).padStart(2, "0")}`,
    priceMinor: 10 ** 12,
    name: { zh: "名".repeat(64), en: "n".repeat(64) },
    description: { zh: "述".repeat(500), en: "d".repeat(500) },
  }));
  const catalogue = { ...exampleCatalogue, products };
  const bot = setup({ catalogue, welcomeBalanceMinor: 2 ** 53 - 1 });
  // The largest ids and the latest instant give the longest keys.
  bot.tables.nowEpochMs = 36 ** 9 - 1;
  const update_id = 2 ** 53 - 1;
  for (const person of [ada, li]) {
    const [list] = await bot.handle(said(person, "/shop"));
    const item = buttonsOf(list).at(-1)?.callback_data ?? "";
    const [confirm] = await bot.handle({ ...pressed(person, item), update_id });
    const data = buttonsOf(confirm)[0]?.callback_data ?? "";
    expect(data.length).toBeGreaterThan(60);
    for (let n = 0; n < 12; n++) await bot.handle(pressed(person, data));
    for (const text of ["/orders", "/balance"]) await bot.handle(said(person, text));
  }
  expect(bot.tables.allOrders).toHaveLength(2);
});

test("P7: any update is handled without an exception", async () => {
  const field = fc.constantFrom(
    "message",
    "callback_query",
    "update_id",
    "from",
    "chat",
    "id",
    "type",
    "text",
    "entities",
    "data",
    "message_id",
    "first_name",
  );
  const value = fc.oneof(
    fc.constantFrom("private", "group", "/start", "buy:latte:1250:a.b", "order:1:0", "bot_command"),
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.constant(null),
  );
  const tree = fc.letrec((tie) => ({
    node: fc.oneof({ maxDepth: 4 }, value, fc.dictionary(field, tie("node"))),
  })).node;
  const content = fc.dictionary(field, tree, { maxKeys: 2 });
  await fc.assert(
    fc.asyncProperty(content, async (fields) => {
      const { handle, calls } = setup();
      await handle({ update_id: 9, ...fields });
      const answers = calls.filter(({ method }) => method === "answerCallbackQuery");
      expect(answers.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 500 },
  );
});

test("P7: a valid update with any one field spoilt is handled without an exception", async () => {
  const sound = [
    said(ada, "/start"),
    said(ada, "/balance", group),
    pressed(ada, "orders:0"),
    pressed(ada, "buy:latte:1250:a.b"),
  ];
  const spoilt = fc.constantFrom(
    undefined,
    null,
    5,
    -1,
    0.5,
    "",
    "x",
    "\ud83d",
    [],
    {},
    [null],
    true,
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...sound), fc.nat(), spoilt, async (update, which, junk) => {
      const copy = structuredClone(update);
      const fields = everyField(copy);
      const [owner, key] = fields[which % fields.length]!;
      owner[key] = junk;
      const { handle, calls } = setup();
      await handle(copy);
      const query = (copy as { callback_query?: { id?: unknown } | null }).callback_query;
      const answers = calls.filter(({ method }) => method === "answerCallbackQuery");
      const waiting = typeof query?.id === "string" && /^[\w-]+$/.test(query.id);
      expect(answers).toHaveLength(waiting ? 1 : 0);
    }),
    { numRuns: 1000 },
  );
});

function everyField(value: object): [Record<string, unknown>, string][] {
  const owner = value as Record<string, unknown>;
  return Object.entries(value).flatMap(([key, inner]) => [
    [owner, key],
    ...(typeof inner === "object" && inner !== null ? everyField(inner) : []),
  ]);
}
