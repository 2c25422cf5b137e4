/** Commands: every command and every button, in both languages. */

import { expect, test, vi } from "vitest";
import {
  commandList,
  failureNotice,
  languageOf,
  languages,
  texts,
} from "../../../bot/shop/commands/texts.ts";
import { RapidRequests } from "../../../bot/telegram/context/rapid-requests-rules.ts";
import { InjectedFault } from "../in-memory-shop-tables.ts";
import { dayMs, unservedMiniApp } from "../shop-setup.ts";
import {
  ada,
  botName,
  buttonsOf,
  dataOf,
  group,
  li,
  type Person,
  pressed,
  said,
  setup,
} from "./bot-under-test.ts";

type Bot = ReturnType<typeof setup>;

/** Goes from /shop to the confirmation message. */
async function choose({ handle }: Bot, person: Person, product: string) {
  const [list] = await handle(said(person, "/shop"));
  const [confirm] = await handle(pressed(person, dataOf(list, product)));
  return confirm;
}

/** Buys and returns the calls of the last press. */
async function buyProduct(bot: Bot, person: Person, product: string, confirmLabel: string) {
  const confirm = await choose(bot, person, product);
  return bot.handle(pressed(person, dataOf(confirm, confirmLabel)));
}

test.each([
  [ada, "Hello, Ada!", "CN¥50.00"],
  [li, "李雷，您好！", "¥50.00"],
])("/start greets $first_name and opens the account once", async (person, hello, money) => {
  const { handle, events } = setup();
  const [greeting] = await handle(said(person, "/start"));
  expect(greeting).toMatchObject({ method: "sendMessage", payload: { chat_id: person.id } });
  expect(greeting?.payload.text).toContain(hello);
  expect(greeting?.payload.text).toContain(money);
  expect(buttonsOf(greeting)).toEqual([]);

  await handle(said(person, "/start anything"));
  expect(events).toEqual([
    {
      type: "business.recorded",
      name: "user_registered",
      userId: person.id,
      facts: { welcomeBalanceMinor: 5000 },
    },
  ]);
});

test("/start offers the Mini App only in private chats", async () => {
  const { handle } = setup({
    miniApp: { ...unservedMiniApp, url: "https://app.example/shop" },
  });
  const [greeting] = await handle(said(ada, "/start"));
  expect(buttonsOf(greeting)).toMatchObject([{ web_app: { url: "https://app.example/shop" } }]);
  const [inGroup] = await handle(said(ada, "/start", group));
  expect(buttonsOf(inGroup)).toMatchObject([{ url: `https://t.me/${botName}` }]);
});

test("/balance shows the balance and the last entries", async () => {
  const bot = setup();
  await buyProduct(bot, ada, "latte", "Buy for");
  const [english] = await bot.handle(said(ada, "/balance"));
  expect(english?.payload.text).toBe(
    "Balance: CN¥37.50\n\nLast entries:\n\n" +
      "1 Jan 2026, 00:00 UTC\n-CN¥12.50  Purchase\n\n" +
      "1 Jan 2026, 00:00 UTC\n+CN¥50.00  Welcome balance",
  );
  const [chinese] = await bot.handle(said({ ...ada, language_code: "ZH-TW" }, "/BALANCE"));
  expect(chinese?.payload.text).toContain("余额：¥37.50");
  expect(chinese?.payload.text).toContain("2026年1月1日 00:00 UTC");
});

test.each([
  [ada, "Espresso", "Buy for", "Thank you!", "Paid: CN¥9.00"],
  [li, "意式浓缩", "支付", "谢谢惠顾", "已支付 ¥9.00"],
] as const)(
  "$first_name buys: list, question, receipt",
  async (person, name, label, thanks, toast) => {
    const bot = setup();
    const [receipt, answer, ...more] = await buyProduct(bot, person, name, label);
    expect(receipt).toMatchObject({
      method: "editMessageText",
      payload: { chat_id: person.id, message_id: 77 },
    });
    expect(receipt?.payload.text).toContain(thanks);
    expect(receipt?.payload.text).toContain(name);
    expect(answer).toMatchObject({ method: "answerCallbackQuery", payload: { text: toast } });
    expect(more).toEqual([]);
    expect(bot.events.at(-1)).toEqual({
      type: "business.recorded",
      name: "order_paid",
      userId: person.id,
      facts: { orderId: 1, sku: "espresso", priceMinor: 900 },
    });
  },
);

test("P2: a confirm button pressed again under a new update id buys nothing again", async () => {
  const bot = setup();
  const confirm = await choose(bot, ada, "latte");
  const data = dataOf(confirm, "Buy for");
  await bot.handle(pressed(ada, data));
  const [receipt, answer] = await bot.handle(pressed(ada, data));
  expect(receipt?.payload.text).toContain("charged once");
  expect(receipt?.payload.text).toContain("Order #1");
  expect(answer?.payload.text).toContain("charged once");
  expect(bot.tables.allOrders).toHaveLength(1);
  expect(bot.events.filter((event) => "name" in event && event.name === "order_paid")).toHaveLength(
    1,
  );
});

test("P2: an update handled twice makes the same calls and one order", async () => {
  const bot = setup();
  const press = pressed(ada, dataOf(await choose(bot, ada, "latte"), "Buy for"));
  const first = await bot.handle(press);
  bot.tables.nowEpochMs += 60_000;
  expect(await bot.handle(press)).toEqual(first);
  expect(bot.tables.allOrders).toHaveLength(1);
});

test("a handler's error reaches the caller unprinted, and the next attempt succeeds", async () => {
  const printed = vi.spyOn(console, "error");
  const bot = setup();
  const press = pressed(ada, dataOf(await choose(bot, ada, "latte"), "Buy for"));
  for (const failAtCall of [1, 2, 3, 4, 5, 6, 7, 8]) {
    bot.tables.failAtCall = failAtCall;
    await expect(bot.handle(press)).rejects.toThrow(InjectedFault);
  }
  expect(printed).not.toHaveBeenCalled();
  expect(bot.tables.allAccounts).toEqual([]);
  expect(await bot.handle(press)).toHaveLength(2);
  expect(bot.tables.allOrders).toHaveLength(1);
});

test("choosing a product again makes another wish", async () => {
  const bot = setup();
  await buyProduct(bot, ada, "latte", "Buy for");
  await buyProduct(bot, ada, "latte", "Buy for");
  expect(bot.tables.allOrders).toHaveLength(2);
});

test("an update id that Telegram reuses a year later makes another wish", async () => {
  const bot = setup();
  const choice = pressed(ada, "item:latte");
  for (const confirm of [await bot.handle(choice), await aYearLater()]) {
    await bot.handle(pressed(ada, dataOf(confirm[0], "Buy for")));
  }
  expect(bot.tables.allOrders).toHaveLength(2);

  function aYearLater() {
    bot.tables.nowEpochMs += 365 * dayMs;
    return bot.handle(choice);
  }
});

test("'No, thanks' buys nothing, unless the purchase came first", async () => {
  const bot = setup();
  const confirm = await choose(bot, ada, "latte");
  const [dropped] = await bot.handle(pressed(ada, dataOf(confirm, "No, thanks")));
  expect(dropped?.payload.text).toContain("nothing was bought");
  expect(buttonsOf(dropped)).toEqual([]);

  await bot.handle(pressed(ada, dataOf(confirm, "Buy for")));
  const [receipt] = await bot.handle(pressed(ada, dataOf(confirm, "No, thanks")));
  expect(receipt?.payload.text).toContain("bought before");
});

test("a product that the balance does not cover is not bought", async () => {
  const bot = setup();
  const [question, answer] = await buyProduct(bot, ada, "Travel tea set", "Buy for");
  expect(question?.payload.text).toContain("CN¥50.00 is not enough for CN¥128.00");
  expect(answer?.method).toBe("answerCallbackQuery");
  expect(bot.tables.allOrders).toEqual([]);
});

test.each([
  ["buy:latte:1:1a.2b", "The price has changed to CN¥12.50"],
  ["buy:unicorn:1:1a.2b", "no longer sold"],
])("a forged or outdated %s buys nothing", async (data, text) => {
  const bot = setup();
  const [edit, answer] = await bot.handle(pressed(ada, data));
  expect(edit?.payload.text).toContain(text);
  expect(answer?.payload.text).toContain(text);
  expect(bot.tables.allOrders).toEqual([]);
});

test("/orders without orders points to the shop", async () => {
  const { handle } = setup();
  const [english] = await handle(said(ada, "/orders"));
  expect(english?.payload.text).toBe(texts("en").noOrders);
  const [chinese] = await handle(said(li, "/orders"));
  expect(chinese?.payload.text).toBe(texts("zh").noOrders);
});

test("/orders has pages of five that can be turned in both directions", async () => {
  const bot = setup({ welcomeBalanceMinor: 100_000 });
  for (let n = 0; n < 7; n++) await buyProduct(bot, ada, "Espresso", "Buy for");
  const [first] = await bot.handle(said(ada, "/orders"));
  expect(first?.payload.text).toBe("Your orders, newest first: 7\nPage 1 of 2");
  expect(buttonsOf(first).map(({ text }) => text)).toEqual([
    "#7 Espresso · paid",
    "#6 Espresso · paid",
    "#5 Espresso · paid",
    "#4 Espresso · paid",
    "#3 Espresso · paid",
    "Older ›",
  ]);
  const [second, answer] = await bot.handle(pressed(ada, dataOf(first, "Older")));
  expect(second?.method).toBe("editMessageText");
  expect(answer?.payload.text).toBeUndefined();
  expect(buttonsOf(second).map(({ text }) => text)).toEqual([
    "#2 Espresso · paid",
    "#1 Espresso · paid",
    "‹ Newer",
  ]);
  const [back] = await bot.handle(pressed(ada, dataOf(second, "Newer")));
  expect(back?.payload.text).toBe(first?.payload.text);
});

test.each([
  [ada, "Espresso", "Buy for", "Cancel and refund", "Refunded CN¥9.00. Balance: CN¥50.00"],
  [li, "意式浓缩", "支付", "取消并退款", "已退款 ¥9.00，余额 ¥50.00"],
] as const)(
  "$first_name sees an order and cancels it once",
  async (person, name, buy, cancel, toast) => {
    const bot = setup();
    await buyProduct(bot, person, name, buy);
    const [list] = await bot.handle(said(person, "/orders"));
    const [detail] = await bot.handle(pressed(person, dataOf(list, "#1")));
    const data = dataOf(detail, cancel);
    const [cancelled, answer] = await bot.handle(pressed(person, data));
    expect(buttonsOf(cancelled).map(({ callback_data }) => callback_data)).toEqual(["orders:0"]);
    expect(answer?.payload.text).toBe(toast);
    expect(bot.events.at(-1)).toMatchObject({ name: "order_cancelled", userId: person.id });

    await bot.handle(pressed(person, data));
    expect(bot.tables.allEntries.filter(({ kind }) => kind === "refund")).toHaveLength(1);
  },
);

test("an order past its window cannot be cancelled, and the bot says so", async () => {
  const bot = setup();
  const [receipt] = await buyProduct(bot, ada, "Espresso", "Buy for");
  expect(receipt?.payload.text).toContain("Can be cancelled until 2 Jan 2026, 00:00 UTC");
  const data = dataOf(receipt, "Cancel");
  bot.tables.nowEpochMs += dayMs + 1;
  const [detail, answer] = await bot.handle(pressed(ada, data));
  expect(buttonsOf(detail).map(({ text }) => text)).toEqual(["All orders"]);
  expect(answer?.payload.text).toBe(texts("en").cancelTooLate);
});

test("an order of a product no longer sold shows its sku", async () => {
  const bot = setup();
  await bot.handle(said(ada, "/start"));
  const createdAtEpochMs = bot.tables.nowEpochMs;
  const wish = { userId: ada.id, sku: "old-mug", priceMinor: 1, idempotencyKey: "x" };
  await bot.tables.insertOrder({ ...wish, createdAtEpochMs });
  const [detail] = await bot.handle(pressed(ada, "order:1:0"));
  expect(detail?.payload.text).toContain("old-mug");
});

test("no user can see, cancel or pay for another user's order", async () => {
  const bot = setup();
  const confirm = await choose(bot, ada, "latte");
  await bot.handle(pressed(ada, dataOf(confirm, "Buy for")));
  for (const data of ["order:1:0", "cancel:1:0"]) {
    const [answer, ...more] = await bot.handle(pressed(li, data));
    expect(answer?.payload.text).toBe(texts("zh").orderNotFound);
    expect(more).toEqual([]);
  }
  await bot.handle(pressed(li, dataOf(confirm, "Buy for")));
  expect(bot.tables.allOrders.map(({ userId }) => userId)).toEqual([ada.id, li.id]);
  expect(await bot.tables.balanceMinor(ada.id)).toBe(3750);
});

test.each(["/balance", "/shop", "/orders", `/balance@${botName.toLowerCase()}`])(
  "%s in a group shows nothing private, only a link to the private chat",
  async (command) => {
    const { handle } = setup();
    const [reply, ...more] = await handle(said(ada, command, group));
    expect(reply).toMatchObject({ payload: { chat_id: group.id, text: texts("en").privateOnly } });
    expect(buttonsOf(reply)).toMatchObject([{ url: `https://t.me/${botName}` }]);
    expect(more).toEqual([]);
  },
);

test("a press in a group spends no money", async () => {
  const bot = setup();
  const data = dataOf(await choose(bot, ada, "latte"), "Buy for");
  const calls = await bot.handle(pressed(li, data, group));
  expect(calls).toMatchObject([
    { method: "answerCallbackQuery", payload: { text: texts("zh").privateOnly } },
  ]);
  expect(bot.tables.allOrders).toEqual([]);
});

test("/help lists every command", async () => {
  const { handle } = setup();
  for (const person of [ada, li]) {
    const [help] = await handle(said(person, "/help"));
    for (const { command, description } of commandList(languageOf(person.language_code))) {
      expect(help?.payload.text).toContain(`/${command} - ${description}`);
    }
  }
});

test("the command list is valid for setMyCommands", () => {
  for (const language of languages) {
    const list = commandList(language);
    expect(list.map(({ command }) => command)).toEqual([
      "start",
      "balance",
      "shop",
      "topup",
      "orders",
      "note",
      "export",
      "language",
      "support",
      "forget",
      "paysupport",
      "terms",
      "help",
    ]);
    for (const { description } of list) expect(description).toMatch(/^.{3,256}$/);
  }
});

test.each([
  ["zh", "zh"],
  ["zh-hant", "zh"],
  ["ZH", "zh"],
  ["en", "en"],
  ["de", "en"],
  ["", "en"],
  [undefined, "en"],
])("a user with the language %j is answered in %s", (code, language) => {
  expect(languageOf(code)).toBe(language);
  expect(failureNotice(code)).toBe(texts(languageOf(code)).failure);
});

test("a person who asks too fast is told once in their language, then ignored, with a security event", async () => {
  const rapid = new RapidRequests({ requestsMax: 3, windowMs: 10_000 });
  const { events, handle } = setup({ judgeRequest: (...request) => rapid.judge(...request) });
  const calls = [];
  for (let turn = 0; turn < 10; turn++) calls.push(...(await handle(said(li, "/help"))));
  expect(calls).toHaveLength(4);
  expect(calls.at(-1)?.payload.text).toContain("太频繁");
  const security = events.filter(({ type }) => type === "security.recorded");
  expect(security).toMatchObject([{ userId: li.id, facts: { action: "rapid_requests" } }]);
  expect(await handle(said(ada, "/help"))).toHaveLength(1);
});

test("a backlog from an outage does not count as asking too fast", async () => {
  const rapid = new RapidRequests({ requestsMax: 3, windowMs: 10_000 });
  const { handle } = setup({ judgeRequest: (...request) => rapid.judge(...request) });
  for (let turn = 0; turn < 10; turn++) {
    const update = said(ada, "/help");
    const calls = await handle({ ...update, message: { ...update.message, date: turn * 60 } });
    expect(calls[0]?.payload.text).toContain("what I can do");
  }
});
