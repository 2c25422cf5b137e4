/**
 * Payments: keeps a bot's invoices, their check-outs, and the Stars that came of them.
 *
 * An invoice in another currency than Telegram Stars is paid through a provider, whose money the sandbox
 * does not count.
 */
import { badRequest } from "../http/answer.ts";
import { LatestMap } from "./latest-map.ts";

export interface Invoice {
  readonly title: string;
  readonly description: string;
  /** The bot's own name for the invoice; buyers never see it. */
  readonly payload: string;
  /** `XTR` is Telegram Stars. */
  readonly currency: string;
  /** In the smallest unit of the currency; without the price of shipping. */
  readonly amount: number;
  /** Set for a subscription. */
  readonly periodS?: number;
  /** What the buyer has to tell. */
  readonly asks: readonly OrderField[];
  /** Whether the bot is asked for ways of shipping and their prices. */
  readonly flexible: boolean;
}

export type OrderField = "name" | "phone_number" | "email" | "shipping_address";

/** Telegram's `OrderInfo`. */
export type OrderInfo = Readonly<Partial<Record<OrderField, unknown>>>;

export interface LabeledPrice {
  readonly label: string;
  /** In the smallest unit of the currency. */
  readonly amount: number;
}

/** A way of shipping, as the bot offers it. */
export interface ShippingOption {
  readonly id: string;
  readonly title: string;
  readonly prices: readonly LabeledPrice[];
}

/** The bot's answer to a shipping query. */
export type ShippingAnswer =
  | { readonly options: readonly ShippingOption[] }
  | { readonly refused: string };

/** What the buyer has chosen and told. */
export interface Order {
  readonly info?: OrderInfo;
  readonly shipping?: ShippingOption;
}

/** A user has pressed "Pay", and the bot has not answered yet. */
export interface Checkout {
  readonly invoice: Invoice;
  readonly order: Order;
  readonly userId: number;
  readonly chatId: number;
  /** The id of the charge, if the buyer's test has chosen one. */
  readonly chargeId?: string;
}

export interface Charge extends Checkout {
  readonly id: string;
  readonly atEpochS: number;
  refunded: boolean;
  /** Only of a subscription: whether the bot has ended it. */
  canceled?: boolean;
}

/** Paid media in a message. */
export interface MediaSale {
  readonly stars: number;
  readonly payload: string;
  readonly buyerIds: Set<number>;
}

/** Stars that came or went without an invoice. */
export interface Transfer {
  readonly id: string;
  /** Positive. */
  readonly amount: number;
  readonly atEpochS: number;
  /** Telegram's `TransactionPartner`. */
  readonly partner: object;
}

const rememberedMax = 10_000;

/** What a buyer pays: the invoice, and the chosen way of shipping. */
export function totalOf({ invoice, order }: Pick<Checkout, "invoice" | "order">): number {
  const prices = order.shipping?.prices ?? [];
  return prices.reduce((sum, { amount }) => sum + amount, invoice.amount);
}

export class Payments {
  readonly #byMessage = new LatestMap<string, Invoice>(rememberedMax);
  readonly #byLink = new LatestMap<string, Invoice>(rememberedMax);
  readonly #checkouts = new LatestMap<string, Checkout>(rememberedMax);
  readonly #charges = new LatestMap<string, Charge>(rememberedMax);

  readonly #shipping = new LatestMap<string, ShippingAnswer>(rememberedMax);
  readonly #media = new LatestMap<string, MediaSale>(rememberedMax);
  readonly #received = new LatestMap<string, Transfer>(rememberedMax);
  readonly #spent = new LatestMap<string, Transfer>(rememberedMax);

  offerInMessage(chatId: number, messageId: number, invoice: Invoice): void {
    this.#byMessage.set(`${chatId}:${messageId}`, invoice);
  }

  offerAsLink(slug: string, invoice: Invoice): void {
    this.#byLink.set(slug, invoice);
  }

  inMessage(chatId: number, messageId: number): Invoice | undefined {
    return this.#byMessage.get(`${chatId}:${messageId}`);
  }

  atLink(slug: string): Invoice | undefined {
    return this.#byLink.get(slug);
  }

  answerShipping(queryId: string, answer: ShippingAnswer): void {
    this.#shipping.set(queryId, answer);
  }

  /** Undefined while the bot has not answered. */
  shippingAnswer(queryId: string): ShippingAnswer | undefined {
    return this.#shipping.get(queryId);
  }

  begin(queryId: string, checkout: Checkout): void {
    this.#checkouts.set(queryId, checkout);
  }

  /** Ends the check-out, paid or not. It cannot be paid again. */
  end(queryId: string): Checkout | undefined {
    const checkout = this.#checkouts.get(queryId);
    this.#checkouts.delete(queryId);
    return checkout;
  }

  /** Only charges in Stars are kept: those can be refunded, and count in the balance. */
  charge(charge: Omit<Charge, "refunded">): void {
    this.#charges.set(charge.id, { ...charge, refunded: false });
  }

  /** Throws Telegram's error for an unknown charge. */
  charged(chargeId: string, userId: number): Charge {
    const charge = this.#charges.get(chargeId);
    if (charge?.userId !== userId) throw badRequest("CHARGE_ID_INVALID");
    return charge;
  }

  /** Throws Telegram's error for an unknown charge, and for one that is refunded already. */
  refund(chargeId: string, userId: number): Charge {
    const charge = this.charged(chargeId, userId);
    if (charge.refunded) throw badRequest("CHARGE_ALREADY_REFUNDED");
    charge.refunded = true;
    return charge;
  }

  /** All charges, oldest first. */
  charges(): readonly Charge[] {
    return [...this.#charges.values()];
  }

  sellMedia(chatId: number, messageId: number, sale: MediaSale): void {
    this.#media.set(`${chatId}:${messageId}`, sale);
  }

  mediaSale(chatId: number, messageId: number): MediaSale | undefined {
    return this.#media.get(`${chatId}:${messageId}`);
  }

  receive(transfer: Transfer): void {
    this.#received.set(transfer.id, transfer);
  }

  /** Throws Telegram's error when the bot has too few Stars. */
  spend(transfer: Transfer): void {
    if (transfer.amount > this.balance()) throw badRequest("BALANCE_TOO_LOW");
    this.#spent.set(transfer.id, transfer);
  }

  /** Transfers to and from the bot, oldest first. */
  get received(): readonly Transfer[] {
    return [...this.#received.values()];
  }

  get spent(): readonly Transfer[] {
    return [...this.#spent.values()];
  }

  /** Stars that the bot has received, and neither refunded nor spent. */
  balance(): number {
    const kept = this.charges().filter(({ refunded }) => !refunded);
    const charged = kept.reduce((sum, { invoice }) => sum + invoice.amount, 0);
    const total = (transfers: readonly Transfer[]) =>
      transfers.reduce((sum, { amount }) => sum + amount, 0);
    return charged + total(this.received) - total(this.spent);
  }
}
