/** The shop's Mini App: what its page is told, and that what is done there is what the commands do. */
import { describe, expect, test } from "vitest";
import { shippedModule } from "../../../bot/index.ts";
import { answerOf, createMiniApp } from "../../../bot/kit/mini-app.ts";
import { openAccount } from "../../../bot/shop/accounts.ts";
import { parseCatalogue } from "../../../bot/shop/catalogue.ts";
import type { CommandOptions } from "../../../bot/shop/commands/routes.ts";
import { chooseLanguage, setBlocked } from "../../../bot/shop/people/standing.ts";
import { changeProduct } from "../../../bot/shop/stock/offers.ts";
import { Play, type Played } from "../../../lab/crash-test/play.ts";
import type { Script } from "../../../lab/crash-test/script.ts";
import { ada, li, type Person, privateChat, setup } from "../commands/bot-under-test.ts";

const wish = "a-wish-0123456789";

/** A shop, and what its page is told. */
function pageOf(overrides: Partial<CommandOptions> = {}) {
  const { asks, kit } = createMiniApp(undefined, 1_000);
  const bot = setup({ miniApp: kit, ...overrides });
  let acts = 0;
  const act = async (name: string, person: Person, requestId: string, data: unknown) => {
    const from = { ...person, is_bot: false };
    const task = { name, requestId, data, chat: privateChat(person), from };
    const calls = await bot.handle({ update_id: --acts, mini_app_request: task });
    const found = await bot.tables.transaction((tx) => answerOf(tx, person.id, requestId));
    return { calls, answer: found?.answer };
  };
  const ask = async (name: string, person: Person, data: unknown = null) => {
    const answer = asks.get(name)?.({ ...person, is_bot: false }, data, (work) =>
      bot.tables.transaction(work),
    );
    return JSON.parse(JSON.stringify(await answer));
  };
  return { ...bot, act, ask };
}

const product = (sku: string, more: object) => ({
  sku,
  priceMinor: 1_000,
  name: { en: sku, zh: `${sku}（中）` },
  description: { en: "d", zh: "d" },
  ...more,
});

describe("the page", () => {
  test("is told the catalogue and the balance, and the account opens with the welcome", async () => {
    const catalogue = parseCatalogue(
      JSON.stringify({
        currency: "CNY",
        exponent: 2,
        categories: [{ id: "home", name: { en: "At home", zh: "家居" } }],
        products: [
          product("cup", { category: "home", stock: 2 }),
          product("lamp", { stock: 0 }),
          product("secret", { hidden: true }),
        ],
      }),
      "catalogue.json",
    );
    const { ask, events } = pageOf({ catalogue });
    const shop = await ask("shop", ada);
    expect(shop).toMatchObject({
      language: "en",
      balance: "Balance: CN¥50.00",
      shelves: [
        { name: "", offers: [{ sku: "lamp", note: "sold out", soldOut: true }] },
        { name: "At home", offers: [{ sku: "cup", price: "CN¥10.00", note: "Left: 2" }] },
      ],
    });
    expect(JSON.stringify(shop)).not.toContain("secret");
    expect(events).toMatchObject([{ type: "business.recorded", name: "user_registered" }]);
    await ask("shop", ada);
    expect(events).toHaveLength(1);
  });

  test("speaks the language of Telegram, or the one that was chosen by /language", async () => {
    const { ask, tables } = pageOf();
    expect(await ask("shop", li)).toMatchObject({ language: "zh", balance: "余额：¥50.00" });
    await tables.transaction((tx) => chooseLanguage(tx, li.id, "en"));
    expect(await ask("shop", li)).toMatchObject({ language: "en", words: { shop: "Shop" } });
  });

  test("tells a blocked person that, and nothing else", async () => {
    const { ask, tables } = pageOf();
    await tables.transaction(async (tx) => {
      await openAccount(tx, ada.id, 0);
      await setBlocked(tx, ada.id, true);
    });
    for (const name of ["shop", "orders", "confirm"]) {
      expect(await ask(name, ada)).toEqual({ blocked: "You cannot use this shop." });
    }
  });

  test("is refused a confirmation of what is not sold", async () => {
    const { ask } = pageOf();
    for (const data of [
      null,
      {},
      { sku: "espresso" },
      { sku: "none", wish },
      { sku: "espresso", wish: "x" },
    ]) {
      expect(await ask("confirm", ada, data)).toMatchObject({ kind: "refused" });
    }
    expect(await ask("confirm", ada, { sku: "espresso", wish })).toMatchObject({
      kind: "confirm",
      name: "Espresso",
      priceMinor: 900,
      button: "Buy for CN¥9.00",
    });
  });

  test("shows orders page by page, whatever page it asks for", async () => {
    const { ask } = pageOf();
    for (const page of [0, 7, -1, "x", null]) {
      expect(await ask("orders", ada, { page })).toEqual({ orders: [] });
    }
  });
});

function play(script: Script, env: Readonly<Record<string, string>> = {}): Promise<Played> {
  return new Play(async () => shippedModule, script, env, undefined).run();
}

const said = ({ made }: Played) => made.map(({ meaning }) => meaning).join("\n");
const rows = ({ tables }: Played, name: string) => tables[name] ?? [];
const buyEspresso = { act: "buy", data: { sku: "espresso", priceMinor: 900 } };

describe("what is done on the page", () => {
  test("is an order as by /shop, with its receipt in the chat", async () => {
    const played = await play([buyEspresso, { press: "All orders" }]);
    expect(rows(played, "orders")).toHaveLength(1);
    expect(said(played)).toContain("Thank you! Your balance is now CN¥41.00.");
    expect(said(played)).toContain("Your orders, newest first: 1");
    expect(played.deadLetters).toEqual([]);
  });

  test("can be cancelled there and in the chat, and is refunded once", async () => {
    const cancel = { act: "cancel", data: { orderId: 1 } };
    const played = await play([buyEspresso, cancel, cancel, { press: "Cancel and refund" }]);
    expect(rows(played, "ledger")).toHaveLength(3);
    expect(said(played)).toContain("Refunded CN¥9.00. Balance: CN¥50.00");
  });

  test.each<[string, unknown]>([
    ["another price than now", { sku: "espresso", priceMinor: 1 }],
    ["a product that there is not", { sku: "none", priceMinor: 900 }],
    ["more than the balance", { sku: "tea-set", priceMinor: 12_800 }],
    ["nothing that can be read", { sku: 7 }],
    ["nothing at all", null],
  ])("%s buys nothing and says nothing in the chat", async (_, data) => {
    const played = await play([{ act: "buy", data: data as never }]);
    expect(rows(played, "orders")).toEqual([]);
    expect(played.made).toEqual([]);
    expect(played.deadLetters).toEqual([]);
  });

  test("somebody else's order cannot be cancelled", async () => {
    const played = await play([buyEspresso, { from: 8, act: "cancel", data: { orderId: 1 } }]);
    expect(rows(played, "orders")[0]).toContain("paid");
  });
});

test("a price that was shown is paid under its wish, although it has changed since", async () => {
  const { act, ask, tables } = pageOf();
  const { priceMinor } = await ask("confirm", ada, { sku: "espresso", wish });
  await tables.transaction((tx) => changeProduct(tx, "espresso", { priceMinor: 950 }));
  const shown = { sku: "espresso", priceMinor };
  const other = await act("buy", ada, "another-wish-0123", shown);
  expect(other.answer).toMatchObject({ kind: "price-changed" });
  const { answer, calls } = await act("buy", ada, wish, shown);
  expect(answer).toMatchObject({ kind: "bought", text: expect.stringContaining("41.00") });
  expect(calls).toMatchObject([{ method: "sendMessage", payload: { chat_id: ada.id } }]);
});

test("what a blocked person does is left unanswered", async () => {
  const { act, tables } = pageOf();
  await tables.transaction((tx) => setBlocked(tx, ada.id, true));
  const shown = { sku: "espresso", priceMinor: 900 };
  expect(await act("buy", ada, wish, shown)).toEqual({ answer: undefined, calls: [] });
});
