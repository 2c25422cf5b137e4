/**
 * Payments: methods for invoices in Telegram Stars, answers to check-outs, and refunds.
 *
 * Source: core.telegram.org/bots/payments-stars; tdlib/telegram-bot-api, Client.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Message, User } from "../world/objects.ts";
import type { Charge, Checkout, Invoice, Transfer } from "../world/payments.ts";
import { type Call, type Effect, userId } from "./call.ts";
import { prepareMessage } from "./sending.ts";

const payloadBytesMax = 128;

export function sendInvoice(call: Call): Effect {
  const invoice = readInvoice(call);
  const { title, description, currency, amount } = invoice;
  const shown = { title, description, start_parameter: "", currency, total_amount: amount };
  const pay = { inline_keyboard: [[{ text: `Pay ⭐️${amount}`, pay: true }]] };
  const effect = prepareMessage(call, { content: { invoice: shown } }, pay);
  return {
    ...effect,
    perform: () => {
      const message = effect.perform() as Message;
      call.account.payments.offerInMessage(effect.room.id, message.message_id, invoice);
      return message;
    },
  };
}

/** The only period that Telegram accepts for a subscription. */
const subscriptionPeriodS = 2_592_000;
const subscriptionPriceMax = 10_000;

export function createInvoiceLink(call: Call): string {
  const periodS = call.parameters.integer("subscription_period");
  const invoice = { ...readInvoice(call), ...(periodS === 0 ? {} : { periodS }) };
  if (periodS !== 0 && periodS !== subscriptionPeriodS) {
    throw badRequest("SUBSCRIPTION_PERIOD_INVALID");
  }
  if (periodS !== 0 && invoice.amount > subscriptionPriceMax)
    throw badRequest("STARS_INVOICE_INVALID");
  const slug = `$${randomId(call.around.random)}`;
  call.account.payments.offerAsLink(slug, invoice);
  return `https://t.me/${slug}`;
}

function readInvoice({ parameters }: Call): Invoice {
  const title = parameters.required("title");
  const description = parameters.required("description");
  const payload = parameters.required("payload");
  const currency = parameters.required("currency");
  parameters.required("prices");
  const prices = parameters.json("prices", "can't parse prices JSON object");
  if (!Array.isArray(prices)) throw badRequest("expected an Array of labeled prices");
  if (prices.length === 0) throw badRequest("there must be at least one price");
  const amounts = prices.map(readAmount);
  if (currency !== "XTR") {
    // The sandbox has no payment provider, only Stars.
    throw badRequest(/^[A-Z]{3}$/.test(currency) ? "PAYMENT_PROVIDER_INVALID" : "CURRENCY_INVALID");
  }
  const [amount = 0] = amounts;
  const tips = parameters.integer("max_tip_amount") > 0;
  const long = Buffer.byteLength(payload) > payloadBytesMax;
  if (tips || long || amounts.length !== 1 || !Number.isSafeInteger(amount) || amount < 1) {
    throw badRequest("STARS_INVOICE_INVALID");
  }
  return { title, description, payload, currency, amount };
}

function readAmount(price: unknown): number {
  if (!isRecord(price)) throw badRequest("can't parse labeled price: expected an Object");
  if (typeof price["label"] !== "string" || price["label"] === "") {
    throw badRequest("can't parse labeled price: LabeledPrice label must be non-empty");
  }
  return Number(price["amount"]);
}

export function answerPreCheckoutQuery(call: Call): true {
  const { account, parameters } = call;
  const ok = parameters.boolean("ok");
  const reason = parameters.text("error_message");
  checkRefusal(ok, reason);
  const id = parameters.text("pre_checkout_query_id");
  const { userId: payerId } = account.queries.answer(id, "pre_checkout_query");
  const checkout = account.payments.end(id);
  const chatId = checkout?.chatId ?? payerId;
  if (ok && checkout) complete(call, checkout);
  else if (!ok)
    account.changed({
      kind: "callback-answer",
      chatId,
      userId: payerId,
      text: reason,
      showAlert: true,
    });
  return true;
}

export function answerShippingQuery({ account, parameters }: Call): true {
  const ok = parameters.boolean("ok");
  checkRefusal(ok, parameters.text("error_message"));
  if (ok) {
    const malformed = "can't parse shipping options JSON object";
    const options = parameters.json("shipping_options", malformed);
    if (options === undefined) throw badRequest(malformed);
    if (!Array.isArray(options)) throw badRequest("expected an Array of shipping options");
    if (options.length === 0) throw badRequest("there must be at least one shipping option");
  }
  account.queries.answer(parameters.text("shipping_query_id"), "shipping_query");
  return true;
}

function checkRefusal(ok: boolean, reason: string): void {
  if (!ok && reason === "") throw badRequest('parameter "error_message" is required');
}

/** Transfers the Stars, and posts `successful_payment` in the chat. */
function complete({ account, around }: Call, checkout: Checkout): void {
  const { chatId, userId: payerId } = checkout;
  const room = account.rooms.get(chatId);
  const payer = around.users.get(payerId);
  if (!room || !payer) return;
  const id = `stx${randomId(around.random)}`;
  const charge = { id, ...checkout, atEpochS: around.clock.epochS() };
  account.payments.charge(charge);
  const provider = { provider_payment_charge_id: randomId(around.random) };
  const payment = { ...paymentFields(charge), ...provider };
  const message = account.post(room, payer, { successful_payment: payment });
  account.deliver("message", message, chatId);
}

function paymentFields({ id, invoice }: Pick<Charge, "id" | "invoice">) {
  return {
    currency: invoice.currency,
    total_amount: invoice.amount,
    invoice_payload: invoice.payload,
    telegram_payment_charge_id: id,
    ...(invoice.periodS === undefined ? {} : { is_recurring: true, is_first_recurring: true }),
  };
}

/** Refunds a charge. Unlike other messages of the bot, the service message reaches it as an update. */
export function refundStarPayment(call: Call): true {
  const { account, parameters } = call;
  const payerId = userId(call);
  const chargeId = parameters.required("telegram_payment_charge_id");
  const charge = account.payments.refund(chargeId, payerId);
  const room = account.rooms.get(charge.chatId);
  if (!room) return true;
  const message = account.post(room, account.me, { refunded_payment: paymentFields(charge) });
  account.deliver("message", message, room.id);
  return true;
}

/** Ends a subscription, or lets the person renew it. */
export function editUserStarSubscription(call: Call): true {
  const { account, parameters } = call;
  const payerId = userId(call);
  const charge = account.payments.charged(parameters.text("telegram_payment_charge_id"), payerId);
  if (charge.invoice.periodS === undefined) throw badRequest("SUBSCRIPTION_ID_INVALID");
  charge.canceled = parameters.boolean("is_canceled");
  return true;
}

export function getMyStarBalance({ account }: Call): unknown {
  return { amount: account.payments.balance() };
}

export function getStarTransactions(call: Call): unknown {
  const { account, around, parameters } = call;
  const offset = Math.max(0, parameters.integer("offset"));
  const limit = parameters.integerWithin("limit", 1, 100, 100);
  const { payments } = account;
  const plain = ({ amount, atEpochS: date, id }: Transfer) => ({ id, amount, date });
  const all = [
    ...payments
      .charges()
      .flatMap((charge) => transactions(charge, around.users.get(charge.userId))),
    ...payments.received.map((transfer) => ({ ...plain(transfer), source: transfer.partner })),
    ...payments.spent.map((transfer) => ({ ...plain(transfer), receiver: transfer.partner })),
  ].sort((a, b) => a.date - b.date);
  return { transactions: all.slice(offset, offset + limit) };
}

function transactions(charge: Charge, user: User | undefined) {
  const { atEpochS: date, id, invoice, refunded } = charge;
  const partner = {
    type: "user",
    transaction_type: "invoice_payment",
    user,
    invoice_payload: invoice.payload,
  };
  const paid = { id, amount: invoice.amount, date, source: partner };
  const returned = { id, amount: invoice.amount, date, receiver: partner };
  return refunded ? [paid, returned] : [paid];
}
