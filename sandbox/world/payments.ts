/** Payments: keeps a bot's invoices in Telegram Stars, their check-outs, charges and refunds. */
import { badRequest } from "../http/answer.ts";
import { LatestMap } from "./latest-map.ts";

export interface Invoice {
  readonly title: string;
  readonly description: string;
  /** The bot's own name for the invoice; buyers never see it. */
  readonly payload: string;
  /** Always Telegram Stars. */
  readonly currency: "XTR";
  readonly amount: number;
  /** Set for a subscription. */
  readonly periodS?: number;
}

/** A user has pressed "Pay", and the bot has not answered yet. */
export interface Checkout {
  readonly invoice: Invoice;
  readonly userId: number;
  readonly chatId: number;
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

export class Payments {
  readonly #byMessage = new LatestMap<string, Invoice>(rememberedMax);
  readonly #byLink = new LatestMap<string, Invoice>(rememberedMax);
  readonly #checkouts = new LatestMap<string, Checkout>(rememberedMax);
  readonly #charges = new LatestMap<string, Charge>(rememberedMax);

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

  begin(queryId: string, checkout: Checkout): void {
    this.#checkouts.set(queryId, checkout);
  }

  /** Ends the check-out, paid or not. It cannot be paid again. */
  end(queryId: string): Checkout | undefined {
    const checkout = this.#checkouts.get(queryId);
    this.#checkouts.delete(queryId);
    return checkout;
  }

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
