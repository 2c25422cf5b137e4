/**
 * Payments: methods for invoices, answers to check-outs, and refunds of Stars.
 *
 * Source: core.telegram.org/bots/payments and payments-stars; tdlib/telegram-bot-api, Client.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import type { Message, User } from "../world/objects.ts";
import {
  type Charge,
  type Checkout,
  type Order,
  type Transfer,
  totalOf,
} from "../world/payments.ts";
import { type Call, type Effect, userId } from "./call.ts";
import { readInvoice, readShippingOptions } from "./invoices.ts";
import { prepareMessage } from "./sending.ts";

export function sendInvoice(call: Call): Effect {
  const invoice = readInvoice(call);
  const { title, description, currency, amount } = invoice;
  const start_parameter = call.parameters.text("start_parameter");
  const shown = { title, description, start_parameter, currency, total_amount: amount };
  const pay = { inline_keyboard: [[{ text: `Pay ${priceText(currency, amount)}`, pay: true }]] };
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

/** @param amount In the smallest unit of the currency. */
function priceText(currency: string, amount: number): string {
  if (currency === "XTR") return `⭐️${amount}`;
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
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
  const refused = parameters.text("error_message");
  checkRefusal(ok, refused);
  const answer = ok ? { options: readShippingOptions(parameters) } : { refused };
  const id = parameters.text("shipping_query_id");
  account.queries.answer(id, "shipping_query");
  account.payments.answerShipping(id, answer);
  return true;
}

function checkRefusal(ok: boolean, reason: string): void {
  if (!ok && reason === "") throw badRequest('parameter "error_message" is required');
}

/** Transfers the money, and posts `successful_payment` in the chat. */
function complete({ account, around }: Call, checkout: Checkout): void {
  const { chatId, userId: payerId } = checkout;
  const room = account.rooms.get(chatId);
  const payer = around.users.get(payerId);
  if (!room || !payer) return;
  const id = checkout.chargeId ?? `stx${randomId(around.random)}`;
  const charge = { id, ...checkout, atEpochS: around.clock.epochS() };
  if (checkout.invoice.currency === "XTR") account.payments.charge(charge);
  const provider = { provider_payment_charge_id: randomId(around.random) };
  const payment = { ...paymentFields(charge), ...provider };
  const message = account.post(room, payer, { successful_payment: payment });
  account.deliver("message", message, chatId);
}

function paymentFields(charge: Pick<Charge, "id" | "invoice" | "order">) {
  const { id, invoice, order } = charge;
  return {
    currency: invoice.currency,
    total_amount: totalOf(charge),
    invoice_payload: invoice.payload,
    ...orderFields(order),
    telegram_payment_charge_id: id,
    ...(invoice.periodS === undefined ? {} : { is_recurring: true, is_first_recurring: true }),
  };
}

/** The fields that tell a bot what the buyer has chosen. */
export function orderFields({ info, shipping }: Order): object {
  return {
    ...(shipping ? { shipping_option_id: shipping.id } : {}),
    ...(info && Object.keys(info).length > 0 ? { order_info: info } : {}),
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
