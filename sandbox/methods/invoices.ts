/**
 * Invoices: reads what a bot asks money for, and its ways of shipping.
 *
 * Source: core.telegram.org/bots/payments; error texts of tdlib/telegram-bot-api, Client.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Invoice, LabeledPrice, OrderField, ShippingOption } from "../world/payments.ts";
import type { Call } from "./call.ts";

type Parameters = Call["parameters"];

const payloadBytesMax = 128;
/** A provider's token as BotFather shows it. The sandbox knows no provider, so any of this form will do. */
const providerToken = /^\d+:(?:TEST|LIVE):\S+$/;

export function readInvoice({ parameters }: Call): Invoice {
  const title = parameters.required("title");
  const description = parameters.required("description");
  const payload = parameters.required("payload");
  const currency = parameters.required("currency");
  parameters.required("prices");
  const prices = readPrices(parameters.json("prices", "can't parse prices JSON object"));
  const amounts = prices.map(({ amount }) => amount);
  const stars = currency === "XTR";
  if (stars) checkStars(parameters, payload, amounts);
  else checkProvider(parameters, currency, amounts);
  const amount = amounts.reduce((sum, price) => sum + price, 0);
  const flexible = !stars && parameters.boolean("is_flexible");
  const asks = stars ? [] : orderFields(parameters, flexible);
  return { title, description, payload, currency, amount, asks, flexible };
}

function checkStars(parameters: Parameters, payload: string, amounts: readonly number[]): void {
  const [amount = 0] = amounts;
  const tips = parameters.integer("max_tip_amount") > 0;
  const long = Buffer.byteLength(payload) > payloadBytesMax;
  if (tips || long || amounts.length !== 1 || !Number.isSafeInteger(amount) || amount < 1) {
    throw badRequest("STARS_INVOICE_INVALID");
  }
}

function checkProvider(parameters: Parameters, currency: string, amounts: readonly number[]): void {
  if (!/^[A-Za-z]{3}$/.test(currency)) throw badRequest("CURRENCY_INVALID");
  if (!providerToken.test(parameters.text("provider_token"))) {
    throw badRequest("PAYMENT_PROVIDER_INVALID");
  }
  const total = amounts.reduce((sum, price) => sum + price, 0);
  if (!amounts.every(Number.isSafeInteger) || total < 1) {
    throw badRequest("CURRENCY_TOTAL_AMOUNT_INVALID");
  }
}

/** A flexible price depends on the address. */
function orderFields(parameters: Parameters, flexible: boolean): readonly OrderField[] {
  const fields = ["name", "phone_number", "email", "shipping_address"] as const;
  return fields.filter(
    (field) => parameters.boolean(`need_${field}`) || (flexible && field === "shipping_address"),
  );
}

function readPrices(prices: unknown): readonly LabeledPrice[] {
  if (!Array.isArray(prices)) throw badRequest("expected an Array of labeled prices");
  if (prices.length === 0) throw badRequest("there must be at least one price");
  return prices.map((price: unknown) => {
    if (!isRecord(price)) throw badRequest("can't parse labeled price: expected an Object");
    const { amount, label } = price;
    if (typeof label !== "string" || label === "") {
      throw badRequest("can't parse labeled price: LabeledPrice label must be non-empty");
    }
    return { label, amount: Number(amount) };
  });
}

/** The ways of shipping that a bot offers. Throws Telegram's errors. */
export function readShippingOptions(parameters: Parameters): readonly ShippingOption[] {
  const malformed = "can't parse shipping options JSON object";
  const options = parameters.json("shipping_options", malformed);
  if (options === undefined) throw badRequest(malformed);
  if (!Array.isArray(options)) throw badRequest("expected an Array of shipping options");
  if (options.length === 0) throw badRequest("there must be at least one shipping option");
  return options.map(readShippingOption);
}

function readShippingOption(option: unknown): ShippingOption {
  const problem = (text: string) => badRequest(`can't parse shipping option: ${text}`);
  if (!isRecord(option)) throw problem("expected an Object");
  const { id, prices, title } = option;
  if (typeof id !== "string" || id === "")
    throw problem("ShippingOption identifier must be non-empty");
  if (typeof title !== "string" || title === "")
    throw problem("ShippingOption title must be non-empty");
  const read = readPrices(prices);
  if (!read.every(({ amount }) => Number.isSafeInteger(amount))) {
    throw badRequest("SHIPPING_BOT_INVALID");
  }
  return { id, title, prices: read };
}
