/** Payments: keeps a bot's invoices in Telegram Stars, their check-outs, charges and refunds. */
import { badRequest } from "../http/answer.ts";

export interface Invoice {
  readonly title: string;
  readonly description: string;
  /** The bot's own name for the invoice; buyers never see it. */
  readonly payload: string;
  /** Always Telegram Stars. */
  readonly currency: "XTR";
  readonly amount: number;
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
}

const rememberedMax = 10_000;

export class Payments {
  readonly #byMessage = new Map<string, Invoice>();
  readonly #byLink = new Map<string, Invoice>();
  readonly #checkouts = new Map<string, Checkout>();
  readonly #charges = new Map<string, Charge>();

  offerInMessage(chatId: number, messageId: number, invoice: Invoice): void {
    remember(this.#byMessage, `${chatId}:${messageId}`, invoice);
  }

  offerAsLink(slug: string, invoice: Invoice): void {
    remember(this.#byLink, slug, invoice);
  }

  inMessage(chatId: number, messageId: number): Invoice | undefined {
    return this.#byMessage.get(`${chatId}:${messageId}`);
  }

  atLink(slug: string): Invoice | undefined {
    return this.#byLink.get(slug);
  }

  begin(queryId: string, checkout: Checkout): void {
    remember(this.#checkouts, queryId, checkout);
  }

  /** Ends the check-out, paid or not. It cannot be paid again. */
  end(queryId: string): Checkout | undefined {
    const checkout = this.#checkouts.get(queryId);
    this.#checkouts.delete(queryId);
    return checkout;
  }

  charge(charge: Omit<Charge, "refunded">): void {
    remember(this.#charges, charge.id, { ...charge, refunded: false });
  }

  /** Throws Telegram's error for an unknown charge, and for one that is refunded already. */
  refund(chargeId: string, userId: number): Charge {
    const charge = this.#charges.get(chargeId);
    if (charge?.userId !== userId) throw badRequest("CHARGE_ID_INVALID");
    if (charge.refunded) throw badRequest("CHARGE_ALREADY_REFUNDED");
    charge.refunded = true;
    return charge;
  }

  /** All charges, oldest first. */
  charges(): readonly Charge[] {
    return [...this.#charges.values()];
  }

  /** Stars that the bot has received and not refunded. */
  balance(): number {
    const kept = this.charges().filter(({ refunded }) => !refunded);
    return kept.reduce((sum, { invoice }) => sum + invoice.amount, 0);
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  if (map.size <= rememberedMax) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
