/** Products as buyers and administrators see them: categories, stock, codes, pictures, prices. */
import { expect, test } from "vitest";
import { adminTexts } from "../../../bot/shop/admin/admin-texts.ts";
import { parseCatalogue } from "../../../bot/shop/catalogue.ts";
import { texts } from "../../../bot/shop/commands/texts.ts";
import {
  ada,
  buttonsOf,
  type Call,
  dataOf,
  li,
  type Person,
  pressed,
  privateChat,
  said,
  setup as setupBot,
} from "../commands/bot-under-test.ts";

const en = texts("en");
const admin = adminTexts("en");
const boss: Person = { id: 1, first_name: "Boss", language_code: "en" };
const picture = "AgACAgIAAxkBAAIBpicture";

const named = (sku: string, more: object = {}) => ({
  sku,
  priceMinor: 1000,
  name: { zh: sku, en: sku },
  description: { zh: "好", en: "good" },
  ...more,
});

function catalogueOf(...products: object[]) {
  const categories = [
    { id: "drinks", name: { zh: "饮料", en: "Drinks" } },
    { id: "empty", name: { zh: "空", en: "Empty" } },
  ];
  const file = { currency: "CNY", exponent: 2, categories, products };
  return parseCatalogue(JSON.stringify(file), "test");
}

function setup() {
  const catalogue = catalogueOf(
    named("tea", { category: "drinks" }),
    named("mug", { stock: 1 }),
    named("key", { digital: true }),
    named("secret", { hidden: true }),
    named("map", { picture }),
  );
  const bot = setupBot({ adminIds: [boss.id], catalogue });
  const { handle } = bot;
  const item = async (person: Person, sku: string) =>
    (await handle(pressed(person, `item:${sku}`))).at(-2);
  const buy = async (person: Person, sku: string) =>
    handle(pressed(person, dataOf(await item(person, sku), "Buy")));
  const change = async (button: string, answer: string) => {
    await handle(pressed(boss, button));
    return (await handle(said(boss, answer)))[0];
  };
  return { ...bot, buy, change, item };
}

const textOf = (call: Call | undefined): string => call?.payload.text ?? "";
const labels = (call: Call | undefined) => buttonsOf(call).map(({ text }) => text);

test("categories come first, empty ones and hidden products not at all", async () => {
  const { handle } = setup();
  const [list] = await handle(said(ada, "/shop"));
  expect(labels(list)).toEqual([
    "Drinks ›",
    "mug · CN¥10.00",
    `key · ${en.soldOutMark}`,
    "map · CN¥10.00",
  ]);
  const [shelf] = await handle(pressed(ada, dataOf(list, "Drinks")));
  expect(labels(shelf)).toEqual(["tea · CN¥10.00", en.allCategories]);
  const [back] = await handle(pressed(ada, dataOf(shelf, en.allCategories)));
  expect(labels(back)).toEqual(labels(list));
  const [toast] = await handle(pressed(ada, "item:secret"));
  expect(textOf(toast)).toBe(en.unknownProduct);
});

test("of two people who want the last piece one gets it, and the other one loses nothing", async () => {
  const { handle, item, tables } = setup();
  const questions = [await item(ada, "mug"), await item(li, "mug")];
  expect(textOf(questions[0])).toContain(en.left("1"));
  await handle(pressed(ada, dataOf(questions[0], "Buy")));
  const [refusal] = await handle(pressed(li, dataOf(questions[1], "支付")));
  expect(textOf(refusal)).toBe(texts("zh").soldOut);
  expect(await tables.balanceMinor(li.id)).toBe(5000);
  const [toast] = await handle(pressed(ada, "item:mug"));
  expect(textOf(toast)).toBe(en.soldOut);
});

test("a cancelled order puts its piece back", async () => {
  const { buy, handle, item } = setup();
  const [receipt] = await buy(ada, "mug");
  await handle(pressed(ada, dataOf(receipt, "Cancel")));
  expect(textOf(await item(ada, "mug"))).toContain(en.left("1"));
});

test("a new price does not touch a confirmation that was shown before, and none can be forged", async () => {
  const { change, handle, item, tables } = setup();
  const question = await item(ada, "tea");
  await change("adm-price:tea", "20");
  await handle(pressed(ada, dataOf(question, "Buy")));
  expect(tables.allOrders[0]?.priceMinor).toBe(1000);
  const forged = dataOf(await item(ada, "tea"), "Buy").replace(":2000:", ":1:");
  const [refusal] = await handle(pressed(ada, forged));
  expect(textOf(refusal)).toBe(en.priceChanged("CN¥20.00"));
});

test("a picture comes before the question", async () => {
  const { handle } = setup();
  const calls = await handle(pressed(ada, "item:map"));
  expect(calls.map(({ method }) => method)).toEqual([
    "sendPhoto",
    "sendMessage",
    "answerCallbackQuery",
  ]);
  expect(calls[0]?.payload.photo).toBe(picture);
});

test("each buyer of digital goods gets a code of their own, which /orders shows again", async () => {
  const { buy, change, handle, tables } = setup();
  const added = await change("adm-codes:key", "AAA\n BBB \n\nAAA");
  expect(textOf(added)).toContain(admin.codesAdded("2", "1"));
  const [first] = await buy(ada, "key");
  expect(textOf(first)).toContain(en.code("AAA"));
  expect(buttonsOf(first).map(({ text }) => text)).toEqual([en.allOrders]);
  const [second] = await buy(li, "key").catch(() => []);
  expect(second).toBeUndefined();
  const [question] = (await handle(pressed(li, "item:key"))).slice(-2);
  const [theirs] = await handle(pressed(li, dataOf(question, "支付")));
  expect(textOf(theirs)).toContain("BBB");
  const [card] = await handle(pressed(ada, "order:1:0"));
  expect(textOf(card)).toContain("AAA");
  expect(tables.allOrders.map(({ status }) => status)).toEqual(["done", "done"]);
});

test("an administrator sets stock, hides, shows, and returns to the file", async () => {
  const { change, handle } = setup();
  expect(textOf(await change("adm-stock:mug", "7"))).toContain(admin.left("7"));
  const [hidden] = await handle(pressed(boss, "adm-hide:mug"));
  expect(textOf(hidden)).toContain(admin.isHidden);
  expect(labels((await handle(said(ada, "/shop")))[0]).join()).not.toContain("mug");
  const [list] = await handle(pressed(boss, "adm-goods"));
  expect(labels(list).join()).toContain("🙈 ✏️ mug");
  const [reset] = await handle(pressed(boss, dataOf(hidden, admin.resetButton)));
  expect(textOf(reset)).not.toContain(admin.isHidden);
  // What is left is a fact, not a change of the file.
  expect(textOf(reset)).toContain(admin.left("7"));
});

test.each([
  ["adm-price:tea", "free"],
  ["adm-price:tea", "0"],
  ["adm-stock:mug", "-1"],
  ["adm-stock:mug", "many"],
])("%s does not take %s", async (button, answer) => {
  const { change } = setup();
  expect(textOf(await change(button, answer))).toBe(admin.notUnderstood);
});

test("a photo is the answer to the question for a picture only", async () => {
  const { handle } = setup();
  const photo = () => {
    const update = said(boss, "");
    const { text: _, ...message } = update.message;
    return {
      ...update,
      message: { ...message, chat: privateChat(boss), photo: [{ file_id: picture }] },
    };
  };
  expect(textOf((await handle(photo()))[0])).toBe(en.notText);
  await handle(pressed(boss, "adm-picture:tea"));
  expect(textOf((await handle(photo()))[0])).toContain(admin.changed);
  const [shown] = await handle(pressed(ada, "item:tea"));
  expect(shown?.payload.photo).toBe(picture);
});
