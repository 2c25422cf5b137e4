/** Personal data: what is stored about a person, and how it is exported and deleted. */
import { expect, test } from "vitest";
import { texts } from "../../../bot/shop/commands/texts.ts";
import { ada, type Call, dataOf, group, li, pressed, said, setup } from "./bot-under-test.ts";

const en = texts("en");

async function withOrder() {
  const bot = setup();
  const [confirm] = await bot.handle(pressed(ada, "item:latte"));
  await bot.handle(pressed(ada, dataOf(confirm, "Buy for")));
  return bot;
}

function exported(call: Call | undefined) {
  const { filename, source } = call?.payload.document ?? {};
  expect(call?.method).toBe("sendDocument");
  expect(filename).toBe("personal-data.json");
  return JSON.parse(Buffer.from(source.data).toString());
}

test("a profile is stored on opening, follows changes, and supplies the name for a greeting", async () => {
  const bot = setup();
  const person = { ...ada, username: "ada_l" };
  await bot.handle(said(person, "/balance"));
  const profile = { firstName: "Ada", username: "ada_l", languageCode: "en" };
  expect(await bot.tables.findProfile(ada.id)).toEqual(profile);
  await bot.handle(said({ ...person, username: "ada_b" }, "/orders"));
  expect(await bot.tables.findProfile(ada.id)).toEqual({ ...profile, username: "ada_b" });
  const [greeting] = await bot.handle(said({ ...person, first_name: "\u202e" }, "/start"));
  expect(greeting?.payload.text).toContain("Welcome back, Ada!");
});

test("invalid fields of a profile are left out", async () => {
  const bot = setup();
  const odd = { ...ada, username: "not a name", language_code: "x".repeat(500) };
  await bot.handle(said(odd, "/start"));
  expect(await bot.tables.findProfile(ada.id)).toEqual({ firstName: "Ada" });
});

test.each([
  ["/note 1 leave it at the door", "leave it at the door"],
  ["/note@UnsinkableBot #1 two\r\nlines", "two\nlines"],
  ["/note 1 \u202e<b>小明</b> 🙂\u0000 ", "<b>小明</b> 🙂"],
  [`/note 1 ${"x".repeat(200)}`, "x".repeat(200)],
])("%j is stored with the order and shown on its card", async (text, note) => {
  const bot = await withOrder();
  const [reply] = await bot.handle(said(ada, text));
  expect(reply?.payload.text).toContain(en.noteKept);
  expect(reply?.payload.text).toContain(en.note(note));
  const [card] = await bot.handle(pressed(ada, "order:1:0"));
  expect(card?.payload.text).toContain(en.note(note));
});

test.each(["/note", "/note hello", "/note 1x y", `/note 1 ${"x".repeat(201)}`, "/note -1 a"])(
  "%j is answered with how to write a note",
  async (text) => {
    const bot = await withOrder();
    const [reply] = await bot.handle(said(ada, text));
    expect(reply?.payload.text).toBe(en.noteUsage("200"));
    expect(bot.tables.allOrders[0]?.note).toBeUndefined();
  },
);

test("an empty note removes a note, and no other user can change it", async () => {
  const bot = await withOrder();
  await bot.handle(said(ada, "/note 1 mine"));
  const [theirs] = await bot.handle(said(li, "/note 1 yours"));
  expect(theirs?.payload.text).toBe(texts("zh").orderNotFound);
  expect(bot.tables.allOrders[0]?.note).toBe("mine");
  const [reply] = await bot.handle(said(ada, "/note 1"));
  expect(reply?.payload.text).toContain(en.noteRemoved);
  expect(bot.tables.allOrders[0]?.note).toBeUndefined();
});

test("an export holds everything about the person and nothing about others", async () => {
  const bot = await withOrder();
  await bot.handle(said(ada, "/note 1 for 小明"));
  await bot.handle(said(li, "/start"));
  const [call, ...more] = await bot.handle(said(ada, "/export"));
  expect(more).toEqual([]);
  expect(call?.payload.caption).toBe(en.exportCaption);
  const data = exported(call);
  expect(data).toMatchObject({
    exportedAt: "2026-01-01T00:00:00.000Z",
    account: { telegramUserId: ada.id, openedAt: "2026-01-01T00:00:00.000Z" },
    profile: { firstName: "Ada", languageCode: "en" },
    complete: true,
    orders: [{ number: 1, status: "paid", note: "for 小明" }],
    entries: [{ kind: "purchase" }, { kind: "welcome", amount: "50.00" }],
  });
  const sum = data.entries.reduce((total: number, entry: { amount: string }) => {
    return total + Math.round(Number(entry.amount) * 100);
  }, 0);
  expect(Math.round(Number(data.account.balance) * 100)).toBe(sum);
  expect(JSON.stringify(data)).not.toContain("李雷");
});

test("the largest export can be sent and says that it is incomplete", async () => {
  const bot = await withOrder();
  const { createdAtEpochMs } = bot.tables.allOrders[0] ?? { createdAtEpochMs: 0 };
  for (let n = 0; n < 600; n++) {
    const wish = { userId: ada.id, sku: "latte", priceMinor: 1, idempotencyKey: `k${n}` };
    const { id } = await bot.tables.insertOrder({ ...wish, createdAtEpochMs });
    await bot.tables.setOrderNote(id, "🙂".repeat(200));
    for (const kind of ["purchase", "refund"] as const) {
      const entry = { userId: ada.id, amountMinor: 1, kind, reference: `order:k${n}` };
      await bot.tables.appendLedgerEntry({ ...entry, createdAtEpochMs });
    }
  }
  const [call] = await bot.handle(said(ada, "/export"));
  expect(call?.payload.caption).toBe(en.exportCaptionCut("500", "1,000"));
  expect(exported(call)).toMatchObject({ complete: false, orders: expect.any(Array) });
});

test("/forget asks first, and 'no' changes nothing", async () => {
  const bot = await withOrder();
  const [question, ...more] = await bot.handle(said(ada, "/forget"));
  expect(more).toEqual([]);
  expect(question?.payload.text).toBe(en.askToForget);
  await bot.handle(pressed(ada, dataOf(question, en.keepButton)));
  expect(await bot.tables.findProfile(ada.id)).toBeDefined();
  expect(bot.tables.forgottenChats).toEqual([]);
});

test("/forget deletes profile, notes and failed requests until /start, and keeps the money", async () => {
  const bot = await withOrder();
  await bot.handle(said(ada, "/note 1 secret"));
  await bot.handle(said(li, "/start"));
  const balance = await bot.tables.balanceMinor(ada.id);
  const others = [`${li.id}:${ada.id}|session`, `${ada.id}5:1|session`];
  for (const key of [`${ada.id}:${ada.id}|session`, `${ada.id}:-5|x`, ...others]) {
    await bot.tables.documents.put("kit:session", key, {});
  }
  const [question] = await bot.handle(said(ada, "/forget"));
  const [done] = await bot.handle(pressed(ada, dataOf(question, en.forgetButton)));
  expect(done?.payload.text).toBe(en.forgotten("1"));
  expect(bot.events).toContainEqual(
    expect.objectContaining({ name: "personal_data_deleted", userId: ada.id }),
  );
  for (const command of ["/balance", "/orders", "/export"]) await bot.handle(said(ada, command));
  expect(await bot.tables.findProfile(ada.id)).toBeUndefined();
  expect(await bot.tables.findProfile(li.id)).toBeDefined();
  expect(bot.tables.allOrders[0]).toMatchObject({ status: "paid", note: undefined });
  expect(await bot.tables.balanceMinor(ada.id)).toBe(balance);
  expect(bot.tables.forgottenChats).toEqual([ada.id]);
  expect(bot.tables.documentKeys.filter((key) => key.includes("|"))).toEqual(others);
  const [again] = await bot.handle(said(ada, "/start"));
  expect(again?.payload.text).toContain("Welcome back, Ada!");
  expect(await bot.tables.findProfile(ada.id)).toBeDefined();
});

test("in a group nothing personal is shown or requested", async () => {
  const bot = await withOrder();
  for (const command of ["/note 1 x", "/export", "/forget"]) {
    const [reply] = await bot.handle(said(ada, command, group));
    expect(reply?.payload.text).toBe(en.privateOnly);
  }
  const [answer, ...more] = await bot.handle(pressed(ada, "forget:yes", group));
  expect(answer?.payload.text).toBe(en.privateOnly);
  expect(more).toEqual([]);
  expect(await bot.tables.findProfile(ada.id)).toBeDefined();
});
