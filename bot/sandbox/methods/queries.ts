/** Queries: answers to button presses, inline queries and payments, which must come in time. */
import { badRequest } from "../http/answer.ts";
import type { Call } from "./call.ts";

export function answerCallbackQuery(call: Call): true {
  const { account, parameters } = call;
  const query = account.queries.answer(parameters.text("callback_query_id"), "callback_query");
  account.changed({
    kind: "callback-answer",
    chatId: query.chatId ?? query.userId,
    userId: query.userId,
    text: parameters.text("text"),
    showAlert: parameters.boolean("show_alert"),
    ...(parameters.text("url") ? { url: parameters.text("url") } : {}),
  });
  return true;
}

export function answerInlineQuery({ account, parameters }: Call): true {
  const results = parameters.json("results", "can't parse inline query results JSON object");
  if (!Array.isArray(results)) throw badRequest("expected an Array of inline query results");
  account.queries.answer(parameters.text("inline_query_id"), "inline_query");
  return true;
}

export function answerPreCheckoutQuery({ account, parameters }: Call): true {
  checkRefusal(parameters.boolean("ok"), parameters.text("error_message"));
  account.queries.answer(parameters.text("pre_checkout_query_id"), "pre_checkout_query");
  return true;
}

export function answerShippingQuery({ account, parameters }: Call): true {
  checkRefusal(parameters.boolean("ok"), parameters.text("error_message"));
  account.queries.answer(parameters.text("shipping_query_id"), "shipping_query");
  return true;
}

function checkRefusal(ok: boolean, reason: string): void {
  if (!ok && reason === "") throw badRequest('parameter "error_message" is required');
}

/** Refunds are remembered, so that the second one fails as Telegram's does. */
export function refundStarPayment({ account, parameters }: Call): true {
  if (parameters.integer("user_id") <= 0) throw badRequest("invalid user_id specified");
  const chargeId = parameters.required("telegram_payment_charge_id");
  const key = `refund:${chargeId}`;
  if (account.settings.has(key)) throw badRequest("CHARGE_ALREADY_REFUNDED");
  account.settings.set(key, true);
  return true;
}
