import { describe, expect, test } from "vitest";
import { startConversation } from "./bot-client.ts";

const invoice = {
  chat_id: 42,
  title: "Tea",
  description: "A pot of tea",
  payload: "order-7",
  currency: "XTR",
  prices: [{ label: "Tea", amount: 5 }],
};

async function setup() {
  const started = await startConversation({ pacing: false });
  const sent = await started.call("sendInvoice", invoice);
  const press = () => {
    const messageId = sent.body.result.message_id;
    return started.control.pay({ userId: 42, chatId: 42, messageId });
  };
  const updates = async () => (await started.call("getUpdates", { limit: 100 })).body.result;
  return { ...started, press, sent, updates };
}

test("an invoice is paid when the bot says yes in time, and the bot hears of it", async () => {
  const { call, control, press, sent, updates } = await setup();
  expect(sent.body.result).toMatchObject({
    invoice: { title: "Tea", currency: "XTR", total_amount: 5 },
    reply_markup: { inline_keyboard: [[{ pay: true }]] },
  });
  const { preCheckoutQueryId: id } = press();
  expect((await updates())[0].pre_checkout_query).toMatchObject({
    id,
    from: { id: 42 },
    total_amount: 5,
    invoice_payload: "order-7",
  });
  const answer = { pre_checkout_query_id: id, ok: true };
  expect((await call("answerPreCheckoutQuery", answer)).body.result).toBe(true);
  const { successful_payment: paid } = (await updates())[1].message;
  expect(paid).toMatchObject({ currency: "XTR", total_amount: 5, invoice_payload: "order-7" });
  expect((await call("getMyStarBalance")).body.result).toEqual({ amount: 5 });
  expect((await call("answerPreCheckoutQuery", answer)).status).toBe(400);

  const refund = { user_id: 42, telegram_payment_charge_id: paid.telegram_payment_charge_id };
  expect((await call("refundStarPayment", refund)).body.result).toBe(true);
  expect((await call("refundStarPayment", refund)).body.description).toBe(
    "Bad Request: CHARGE_ALREADY_REFUNDED",
  );
  expect((await updates())[2].message.refunded_payment).toMatchObject({ total_amount: 5 });
  expect((await call("getMyStarBalance")).body.result).toEqual({ amount: 0 });
  expect((await call("getStarTransactions")).body.result.transactions).toHaveLength(2);
  expect(control.messages({ chatId: 42 })).toHaveLength(3);
});

test("an answer after ten seconds is too late, and nothing is paid", async () => {
  const { call, control, press } = await setup();
  const { preCheckoutQueryId: id } = press();
  control.advanceClock({ ms: 10_000 });
  const late = await call("answerPreCheckoutQuery", { pre_checkout_query_id: id, ok: true });
  expect(late.body.description).toBe(
    "Bad Request: query is too old and response timeout expired or query ID is invalid",
  );
  expect(control.messages({ chatId: 42 })).toHaveLength(1);
});

test("a refusal needs a reason, which the buyer sees", async () => {
  const { call, control, press } = await setup();
  const { preCheckoutQueryId: id } = press();
  const refusal = { pre_checkout_query_id: id, ok: false };
  expect((await call("answerPreCheckoutQuery", refusal)).body.description).toBe(
    'Bad Request: parameter "error_message" is required',
  );
  await call("answerPreCheckoutQuery", { ...refusal, error_message: "sold out" });
  const changes = await control.changes();
  expect(changes.at(-1)).toMatchObject({ kind: "callback-answer", text: "sold out" });
});

test("a test may choose the charge's id, and refund it", async () => {
  const { call, control, sent } = await setup();
  const messageId = sent.body.result.message_id;
  const buying = { userId: 42, chatId: 42, messageId, chargeId: "charge-1" };
  const { preCheckoutQueryId } = control.pay(buying);
  await call("answerPreCheckoutQuery", { pre_checkout_query_id: preCheckoutQueryId, ok: true });
  const refund = { user_id: 42, telegram_payment_charge_id: "charge-1" };
  expect((await call("refundStarPayment", refund)).body.result).toBe(true);
});

test("an invoice can be a link", async () => {
  const { call, control } = await startConversation({ pacing: false });
  const { chat_id, ...fields } = invoice;
  const link = (await call("createInvoiceLink", fields)).body.result;
  expect(link).toMatch(/^https:\/\/t\.me\/\$/);
  const { preCheckoutQueryId } = control.pay({ userId: chat_id, link });
  const answer = { pre_checkout_query_id: preCheckoutQueryId, ok: true };
  expect((await call("answerPreCheckoutQuery", answer)).body.result).toBe(true);
  expect(() => control.pay({ userId: 42, link: "https://t.me/$none" })).toThrow("no invoice");
});

describe("sendInvoice refuses", () => {
  const price = { label: "Tea", amount: 5 };
  test.each<[object, string]>([
    [{ title: "" }, 'parameter "title" is required'],
    [{ payload: undefined }, 'parameter "payload" is required'],
    [{ prices: "[" }, "can't parse prices JSON object"],
    [{ prices: [] }, "there must be at least one price"],
    [
      { prices: [{ label: "", amount: 1 }] },
      "can't parse labeled price: LabeledPrice label must be non-empty",
    ],
    [{ prices: [price, price] }, "STARS_INVOICE_INVALID"],
    [{ prices: [{ label: "x", amount: 0.5 }] }, "STARS_INVOICE_INVALID"],
    [{ max_tip_amount: 5 }, "STARS_INVOICE_INVALID"],
    [{ payload: "é".repeat(65) }, "STARS_INVOICE_INVALID"],
    [{ currency: "EUR" }, "PAYMENT_PROVIDER_INVALID"],
    [{ currency: "stars" }, "CURRENCY_INVALID"],
  ])("%j", async (change, text) => {
    const { call } = await startConversation();
    const answer = await call("sendInvoice", { ...invoice, ...change });
    expect(answer.body.description).toBe(`Bad Request: ${text}`);
  });

  test("a refund of a charge that does not exist", async () => {
    const { call } = await startConversation();
    const refund = { user_id: 42, telegram_payment_charge_id: "stx1" };
    expect((await call("refundStarPayment", refund)).body.description).toBe(
      "Bad Request: CHARGE_ID_INVALID",
    );
  });
});
