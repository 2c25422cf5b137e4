/** Invoices of a payment provider: other currencies than Stars, addresses and ways of shipping. */
import { expect, test } from "vitest";
import { type Loose, startConversation } from "./bot-client.ts";

const invoice = {
  chat_id: 42,
  title: "Kettle",
  description: "It whistles",
  payload: "order-8",
  provider_token: "1:TEST:any",
  currency: "EUR",
  prices: [
    { label: "Kettle", amount: 2_000 },
    { label: "Gift wrapping", amount: 150 },
  ],
};
const post = { id: "post", title: "By post", prices: [{ label: "Post", amount: 500 }] };

async function offer(change: object = {}) {
  const started = await startConversation({ pacing: false });
  const { call } = started;
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await call(method, parameters);
    return body.ok ? body.result : body.description;
  };
  const message = await ask("sendInvoice", { ...invoice, ...change });
  const place = { userId: 42, chatId: 42, messageId: message.message_id as number };
  const hear = async () => (await ask("getUpdates", { offset: -1 }))[0];
  return { ...started, ask, hear, message, place };
}

test("an invoice shows the sum of its prices in its currency", async () => {
  const { message } = await offer();
  expect(message).toMatchObject({
    invoice: { currency: "EUR", total_amount: 2_150 },
    reply_markup: { inline_keyboard: [[{ text: "Pay €21.50", pay: true }]] },
  });
  const { message: yen } = await offer({ currency: "JPY" });
  expect(yen.reply_markup.inline_keyboard[0][0].text).toBe("Pay ¥2,150");
});

test("a buyer sees what an invoice asks for, and not the bot's own name for it", async () => {
  const { control, place } = await offer({ is_flexible: true, need_email: true });
  const { amount, asks, flexible, ...rest } = control.invoice(place);
  expect([amount, asks, flexible]).toEqual([2_150, ["email", "shipping_address"], true]);
  expect(rest).toEqual({ title: "Kettle", description: "It whistles", currency: "EUR" });
});

test("the buyer chooses one of the bot's ways of shipping, which is added to the price", async () => {
  const { ask, control, hear, place } = await offer({ is_flexible: true, need_name: true });
  const { shippingQueryId } = control.ship(place);
  expect(control.shippingOptions({ shippingQueryId })).toBeNull();
  expect((await hear()).shipping_query).toMatchObject({
    id: shippingQueryId,
    invoice_payload: "order-8",
    shipping_address: { city: "Berlin" },
  });
  const options = { shipping_query_id: shippingQueryId, ok: true, shipping_options: [post] };
  expect(await ask("answerShippingQuery", options)).toBe(true);
  expect(control.shippingOptions({ shippingQueryId })).toEqual({ options: [post] });

  expect(() => control.pay(place)).toThrow("shippingOptionId");
  const { preCheckoutQueryId } = control.pay({
    ...place,
    shippingQueryId,
    shippingOptionId: "post",
    orderInfo: { name: "Ann Smith" },
  });
  const order = {
    total_amount: 2_650,
    shipping_option_id: "post",
    order_info: { name: "Ann Smith", shipping_address: { city: "Berlin" } },
  };
  expect((await hear()).pre_checkout_query).toMatchObject(order);
  await ask("answerPreCheckoutQuery", { pre_checkout_query_id: preCheckoutQueryId, ok: true });
  expect((await hear()).message.successful_payment).toMatchObject(order);
});

test("money of a provider is no Stars: it is in no balance, and cannot be refunded here", async () => {
  const { ask, control, hear, place } = await offer();
  const { preCheckoutQueryId } = control.pay(place);
  await ask("answerPreCheckoutQuery", { pre_checkout_query_id: preCheckoutQueryId, ok: true });
  const { telegram_payment_charge_id } = (await hear()).message.successful_payment;
  expect(await ask("getMyStarBalance")).toEqual({ amount: 0 });
  expect(await ask("refundStarPayment", { user_id: 42, telegram_payment_charge_id })).toBe(
    "Bad Request: CHARGE_ID_INVALID",
  );
});

test("the bot may refuse to ship, with a reason that the buyer sees", async () => {
  const { ask, control, place } = await offer({ is_flexible: true });
  const { shippingQueryId } = control.ship(place);
  const answer = { shipping_query_id: shippingQueryId, ok: false, error_message: "too far" };
  await ask("answerShippingQuery", answer);
  expect(control.shippingOptions({ shippingQueryId })).toEqual({ refused: "too far" });
  expect(await ask("answerShippingQuery", answer)).toContain("query is too old");
});

test("only an invoice with a flexible price can be shipped", async () => {
  const { control, place } = await offer();
  expect(() => control.ship(place)).toThrow("no ways of shipping");
});

test.for([
  [{ provider_token: "secret" }, "PAYMENT_PROVIDER_INVALID"],
  [{ currency: "EURO" }, "CURRENCY_INVALID"],
  [{ prices: [{ label: "x", amount: 0 }] }, "CURRENCY_TOTAL_AMOUNT_INVALID"],
] as const)("refused: %j", async ([change, text]) => {
  const { message } = await offer(change);
  expect(message).toBe(`Bad Request: ${text}`);
});
