/** Conversations about payments, with the real queue, store and delivery against the sandbox. */
import { describe, expect, test } from "vitest";
import { shippedModule } from "../../../bot/index.ts";
import { Play, type Played } from "../../../lab/crash-test/play.ts";
import type { Script } from "../../../lab/crash-test/script.ts";

const admin = 1;
const env = { ADMIN_IDS: String(admin) };

function play(script: Script, more: Readonly<Record<string, string>> = {}): Promise<Played> {
  return new Play(async () => shippedModule, script, { ...env, ...more }, undefined).run();
}

/** What was said in a chat, or answered to a query, newest last. */
function said({ made }: Played, lane: string): readonly string[] {
  return made.filter((call) => call.lane === lane).map(({ label }) => label);
}

function ledger({ tables }: Played): readonly string[] {
  const rows = (tables["ledger"] ?? []).map((row) => JSON.parse(row) as Record<string, unknown>);
  return rows.map((row) => `${row["user_id "]} ${row["kind "]} ${row["amount_minor "]}`);
}

const topup: Script = [{ say: "/topup" }, { press: "⭐ 100" }, { pay: "Top-up" }];

/** The charge ids of the sandbox are the same in every play. */
async function chargeOf(script: Script): Promise<string> {
  const { tables } = await play(script);
  return /stx\d+/.exec(tables["star_charges"]?.[0] ?? "")?.[0] ?? "";
}

const usual = {
  from: { id: 7, is_bot: false, first_name: "Ann" },
  chat: { id: 7, type: "private" },
};
const report = {
  currency: "XTR",
  total_amount: 100,
  invoice_payload: "topup:100:1000",
  telegram_payment_charge_id: "stxOutside",
  provider_payment_charge_id: "p",
};
const message = (fields: object) => ({
  update: { message: { message_id: 90, date: 1, ...usual, ...fields } },
});

describe("/topup", () => {
  test("offers amounts, sends an invoice, and the payment is in the balance with its number", async () => {
    const played = await play(topup);
    const [offer, invoice, receipt] = played.made.filter(({ lane }) => lane === "chat 7");
    expect(offer?.meaning).toContain("⭐ 50 → CN¥5.00");
    expect(offer?.meaning).toContain("topup:500");
    expect(JSON.parse(invoice?.meaning ?? "")).toEqual({
      chat_id: 7,
      title: "Top-up of CN¥10.00",
      description: "CN¥10.00 for your balance in this shop, for 100 Telegram Stars.",
      payload: "topup:100:1000",
      provider_token: "",
      currency: "XTR",
      prices: [{ label: "Top-up of CN¥10.00", amount: 100 }],
      start_parameter: "topup",
    });
    expect(receipt?.label).toContain("CN¥10.00 was added. Your balance is now CN¥60.00.");
    expect(receipt?.label).toMatch(/Payment number: stx\d+/);
    expect(ledger(played)).toEqual(["7 welcome 5000", "7 topup 1000"]);
  });

  test("an old invoice that is paid a second time is a second payment", async () => {
    const played = await play([...topup, { pay: "Top-up" }]);
    expect(ledger(played)).toEqual(["7 welcome 5000", "7 topup 1000", "7 topup 1000"]);
    expect(said(played, "chat 7").at(-1)).toContain("Your balance is now CN¥70.00.");
  });

  test("says so when nothing is offered", async () => {
    const played = await play([{ say: "/topup" }], { TOPUP_AMOUNTS: "0" });
    expect(said(played, "chat 7")).toEqual([
      'sendMessage "Top-ups are not available at the moment."',
    ]);
  });

  test("in a group answers only with the way to the private chat", async () => {
    const played = await play([{ say: "/topup", in: "Club" }]);
    expect(played.made.map(({ label }) => label)).toEqual([
      'sendMessage "Balance, shop and orders are private. Please message me privately."',
    ]);
  });
});

describe("a check-out", () => {
  const query = { id: "9", from: usual.from, currency: "XTR", total_amount: 75 };

  test.each([
    ["of an amount that is no longer offered", "topup:75:750"],
    ["of an invoice that is not ours", "order-7"],
  ])("%s is refused with a text", async (_, payload) => {
    const checkout = { pre_checkout_query: { ...query, invoice_payload: payload } };
    const { made } = await play([{ update: checkout }]);
    expect(made.map(({ method }) => method)).toEqual(["answerPreCheckoutQuery"]);
    expect(made[0]?.meaning).toContain('"ok":false');
    expect(made[0]?.meaning).toContain("You were not charged");
  });

  test("that is malformed charges nobody and fails nothing", async () => {
    const { deadLetters, made } = await play([
      { update: { pre_checkout_query: { id: "9", from: usual.from } } },
    ]);
    expect(made).toEqual([]);
    expect(deadLetters).toEqual([]);
  });
});

describe("a payment", () => {
  test("with a payload that cannot be read is credited at today's rate", async () => {
    const payment = { ...report, invoice_payload: 3 };
    const played = await play([message({ successful_payment: payment })]);
    expect(ledger(played)).toEqual(["7 welcome 5000", "7 topup 1000"]);
  });

  test("is credited to whoever paid it, and a group reads no balance", async () => {
    // The group that the sandbox makes first.
    const inGroup = { chat: { id: -1_000_000_001_001, type: "supergroup", title: "Club" } };
    const played = await play([
      { say: "hello", in: "Club" },
      message({ ...inGroup, successful_payment: report }),
    ]);
    expect(ledger(played)).toEqual(["7 welcome 5000", "7 topup 1000"]);
    expect(said(played, "chat -1000000001001")).toEqual([
      expect.stringMatching(/^(?!.*¥).*Your payment has arrived/),
    ]);
  });

  test("that is reported twice is credited and answered once", async () => {
    const twice = [
      message({ successful_payment: report }),
      message({ successful_payment: report }),
    ];
    const played = await play(twice);
    expect(ledger(played)).toEqual(["7 welcome 5000", "7 topup 1000"]);
    expect(said(played, "chat 7")).toHaveLength(1);
  });

  test("in another currency is kept, and the payer is told", async () => {
    const payment = { ...report, currency: "EUR" };
    const played = await play([message({ successful_payment: payment })]);
    expect(ledger(played)).toEqual([]);
    expect(played.tables["star_charges"]).toHaveLength(1);
    expect(said(played, "chat 7").join()).toContain("could not be added to your balance");
  });

  test("that cannot be read at all becomes a dead letter, not an answer", async () => {
    const played = await play([message({ successful_payment: { currency: "XTR" } })]);
    expect(played.deadLetters).toEqual([expect.stringContaining("PAYMENT_UNREADABLE")]);
  });
});

describe("/refund", () => {
  test("takes the money out, returns the Stars, and tells the buyer when Telegram has done it", async () => {
    const chargeId = await chargeOf(topup);
    const played = await play([...topup, { from: admin, say: `/refund ${chargeId}` }]);
    expect(ledger(played)).toEqual(["7 welcome 5000", "7 topup 1000", "7 topup-refund -1000"]);
    expect(played.made.filter(({ method }) => method === "refundStarPayment")).toHaveLength(1);
    expect(said(played, `chat ${admin}`).at(-1)).toContain("CN¥10.00 was debited");
    expect(said(played, "chat 7").at(-1)).toContain("100 Telegram Stars are returned to you");
  });

  test("of what is spent is refused, and changes nothing", async () => {
    const chargeId = await chargeOf(topup);
    const refund = { from: admin, say: `/refund ${chargeId}` };
    const spend: Script = [{ say: "/shop" }, { press: "Espresso" }, { press: "Buy for" }];
    // Without a welcome balance, ¥9 of the ¥10 are gone.
    const played = await play([...topup, ...spend, refund], { WELCOME_BALANCE: "0" });
    expect(ledger(played)).toEqual(["7 topup 1000", "7 purchase -900"]);
    expect(said(played, `chat ${admin}`).at(-1)).toContain("Not refunded");
    expect(played.made.some(({ method }) => method === "refundStarPayment")).toBe(false);
  });

  test("is done once, and an unknown number is said to be unknown", async () => {
    const chargeId = await chargeOf(topup);
    const refund = { from: admin, say: `/refund ${chargeId}` };
    const played = await play([...topup, refund, refund, { from: admin, say: "/refund stx0" }]);
    expect(said(played, `chat ${admin}`).slice(1)).toEqual([
      'sendMessage "This payment was refunded before."',
      'sendMessage "There is no payment with this number."',
    ]);
    expect(ledger(played)).toHaveLength(3);
  });

  test.each(["/refund stx1", "/reconcile"])(
    "%s of somebody else is answered like a command that does not exist",
    async (command) => {
      const theirs = said(await play([{ say: command }]), "chat 7");
      expect(theirs).toEqual(said(await play([{ say: "/nonsense" }]), "chat 7"));
    },
  );

  test("a refund that came from elsewhere takes what is left, and the balance stays at 0", async () => {
    const refund = message({
      from: { id: 42, is_bot: true, first_name: "Bot" },
      refunded_payment: report,
    });
    const spend: Script = [{ say: "/shop" }, { press: "Espresso" }, { press: "Buy for" }];
    const payment = message({ successful_payment: report });
    const played = await play([payment, ...spend, refund, refund], { WELCOME_BALANCE: "0" });
    expect(ledger(played)).toEqual(["7 topup 1000", "7 purchase -900", "7 topup-refund -100"]);
    expect(said(played, "chat 7").at(-1)).toContain("CN¥1.00 was taken from your balance");
    expect(said(played, "chat 7").filter((text) => text.includes("returned"))).toHaveLength(1);
  });
});

describe("/reconcile", () => {
  test("agrees after payments and refunds", async () => {
    const chargeId = await chargeOf(topup);
    const played = await play([
      ...[...topup, { pay: "Top-up" }, { from: admin, say: `/refund ${chargeId}` }],
      { wait: 3_600 },
      { from: admin, say: "/reconcile" },
    ]);
    expect(said(played, `chat ${admin}`).at(-1)).toBe(
      'sendMessage "The books agree with Telegram. Transactions: 3"',
    );
  });

  test("names a payment that Telegram does not list", async () => {
    const played = await play([
      message({ successful_payment: report }),
      { wait: 3_600 },
      { from: admin, say: "/reconcile" },
    ]);
    expect(said(played, `chat ${admin}`).at(-1)).toContain(
      "stxOutside (⭐ 100): the books have this payment, Telegram does not",
    );
  });
});

test("/terms and /paysupport say what Telegram's rules demand, in both languages and in groups", async () => {
  const chinese = { ...usual.from, language_code: "zh-hans" };
  const commands: Script = [
    { say: "/terms" },
    { say: "/paysupport" },
    { say: "/terms", in: "Club" },
  ];
  const more = { SHOP_PAYMENT_SUPPORT: "@helper", SHOP_TERMS_URL: "https://shop.example/terms" };
  const played = await play(
    [
      ...commands,
      message({
        from: chinese,
        text: "/terms",
        entities: [{ type: "bot_command", offset: 0, length: 6 }],
      }),
    ],
    more,
  );
  const [terms, support, inGroup, translated] = played.made.map(({ label }) => label);
  expect(terms).toContain("https://shop.example/terms");
  expect(support).toContain("@helper");
  expect(support).toContain("they cannot help with purchases made here");
  expect(inGroup).toContain("Terms of this shop");
  expect(translated).toContain("服务条款");
});
