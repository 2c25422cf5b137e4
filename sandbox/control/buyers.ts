/** Buyers: people who order, choose a way of shipping, and pay for invoices and media. */
import type { InvoicePlace, SandboxControl } from "../control-api.ts";
import { orderFields } from "../methods/payments.ts";
import { randomId } from "../random.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import type { User } from "../world/objects.ts";
import {
  type Invoice,
  type OrderField,
  type OrderInfo,
  type ShippingOption,
  totalOf,
} from "../world/payments.ts";
import type { PeopleOptions } from "./actors.ts";
import { ControlError } from "./control-error.ts";

type Operations = Pick<SandboxControl, "invoice" | "ship" | "shippingOptions" | "pay" | "buyMedia">;
type Request<Name extends keyof Operations> = Parameters<Operations[Name]>[0];

/** How long the bot has for an answer. Source: Bot API, answerPreCheckoutQuery. */
const answerMs = 10_000;

export function createBuyers(options: PeopleOptions): Operations {
  return {
    invoice: (request) => {
      const user = options.actors.user(request.userId);
      const { payload, ...shown } = invoiceAt(options.account(request.botId), user, request);
      return shown;
    },
    ship: (request) => ship(options, request),
    shippingOptions: ({ botId, shippingQueryId }) =>
      options.account(botId).payments.shippingAnswer(shippingQueryId) ?? null,
    pay: (request) => pay(options, request),
    buyMedia: (request) => buyMedia(options, request),
  };
}

function ship({ account: accountFor, actors, around }: PeopleOptions, request: Request<"ship">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const invoice = invoiceAt(account, user, request);
  if (!invoice.flexible) throw new ControlError(400, "the invoice has no ways of shipping");
  const id = randomId(around.random);
  const query = { kind: "shipping_query", userId: user.id, chatId: user.id } as const;
  account.queries.open(id, query, answerMs);
  const shipping_address = request.address ?? madeUp(user).shipping_address;
  const asked = { id, from: user, invoice_payload: invoice.payload, shipping_address };
  return { shippingQueryId: id, updateId: account.deliver("shipping_query", asked, null) };
}

function pay({ account: accountFor, actors, around }: PeopleOptions, request: Request<"pay">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const invoice = invoiceAt(account, user, request);
  const shipping = invoice.flexible ? chosenShipping(account, request) : undefined;
  const info = orderInfo(invoice, user, request.orderInfo);
  const order = { info, ...(shipping ? { shipping } : {}) };
  const chatId = request.chatId ?? account.privateRoom(user).id;
  const id = randomId(around.random);
  const query = { kind: "pre_checkout_query", userId: user.id, chatId } as const;
  account.queries.open(id, query, answerMs);
  const named = request.chargeId ? { chargeId: String(request.chargeId) } : {};
  account.payments.begin(id, { invoice, order, userId: user.id, chatId, ...named });
  const { currency, payload: invoice_payload } = invoice;
  const price = { currency, total_amount: totalOf({ invoice, order }), invoice_payload };
  const checkout = { id, from: user, ...price, ...orderFields(order) };
  return {
    preCheckoutQueryId: id,
    updateId: account.deliver("pre_checkout_query", checkout, chatId),
  };
}

function invoiceAt({ payments }: Account, user: User, place: InvoicePlace): Invoice {
  const { chatId = user.id, link, messageId = 0 } = place;
  const invoice =
    link === undefined
      ? payments.inMessage(chatId, messageId)
      : payments.atLink(String(link).split("/").at(-1) ?? "");
  if (!invoice) throw new ControlError(404, "there is no invoice");
  return invoice;
}

function chosenShipping({ payments }: Account, request: Request<"pay">): ShippingOption {
  const answer = payments.shippingAnswer(request.shippingQueryId ?? "");
  const options = answer && "options" in answer ? answer.options : [];
  const chosen = options.find(({ id }) => id === request.shippingOptionId);
  if (chosen) return chosen;
  throw new ControlError(
    400,
    "shippingQueryId and shippingOptionId must name a way of shipping that the bot offered to `ship`",
  );
}

/** What the invoice asks for: as given, or made up. */
function orderInfo(invoice: Invoice, user: User, given: unknown): OrderInfo {
  if (given !== undefined && !isRecord(given)) {
    throw new ControlError(400, "orderInfo must be an object");
  }
  const whole: Readonly<Record<string, unknown>> = { ...madeUp(user), ...given };
  return Object.fromEntries(invoice.asks.map((field) => [field, whole[field]]));
}

function madeUp(user: User): Readonly<Record<OrderField, unknown>> {
  return {
    name: user.first_name,
    phone_number: "15550100",
    email: `user${user.id}@example.com`,
    shipping_address: {
      country_code: "DE",
      state: "",
      city: "Berlin",
      street_line1: "Unter den Linden 1",
      street_line2: "",
      post_code: "10117",
    },
  };
}

function buyMedia(
  { account: accountFor, actors, around }: PeopleOptions,
  request: Request<"buyMedia">,
) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const { chatId, messageId } = request;
  const sale = account.payments.mediaSale(chatId, messageId);
  if (!sale) throw new ControlError(404, "the message has no paid media");
  if (sale.buyerIds.has(user.id)) throw new ControlError(400, "the user has bought it already");
  sale.buyerIds.add(user.id);
  const partner = { type: "user", transaction_type: "paid_media_payment", user };
  const id = randomId(around.random);
  account.payments.receive({ id, amount: sale.stars, atEpochS: around.clock.epochS(), partner });
  const bought = { from: user, paid_media_payload: sale.payload };
  const updateId =
    sale.payload === "" ? null : account.deliver("purchased_paid_media", bought, null);
  return { updateId };
}
