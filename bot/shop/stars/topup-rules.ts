/**
 * Top-up rules: decide what is offered, what an invoice promises, and which check-out may go on.
 *
 * The payload of an invoice says what was promised when it was sent. It names no payment: one invoice can
 * be paid many times, and each time is a payment of its own.
 */

/** The top-ups that a person can buy for Stars. */
export interface TopupRules {
  /** Whole Stars per top-up, as they are offered; 0 offers nothing. */
  readonly topupAmounts: readonly number[];
  /** Minor units of the shop's currency for one Star; at least 1. */
  readonly starValueMinor: number;
}

/** The amount that an invoice gives for its price. */
export interface Offer {
  /** Whole Stars, 1 or more. */
  readonly stars: number;
  /** Minor units that enter the account. */
  readonly amountMinor: number;
}

/** The currency of Telegram Stars. Source: Bot API, sendInvoice. */
export const starCurrency = "XTR";

/** Returns what is offered now, the smallest first. */
export function offersOf({ starValueMinor, topupAmounts }: TopupRules): readonly Offer[] {
  return [...new Set(topupAmounts)]
    .filter((stars) => stars > 0)
    .sort((a, b) => a - b)
    .map((stars) => ({ stars, amountMinor: stars * starValueMinor }));
}

/** Writes the payload of an invoice, far below the 128 bytes that Telegram allows. */
export function toPayload({ amountMinor, stars }: Offer): string {
  return `topup:${stars}:${amountMinor}`;
}

/** Reads a payload; `undefined` when it is none of ours. */
export function readPayload(payload: string): Offer | undefined {
  const [, stars, amountMinor] = /^topup:([1-9]\d{0,6}):([1-9]\d{0,11})$/.exec(payload) ?? [];
  return stars === undefined
    ? undefined
    : { stars: Number(stars), amountMinor: Number(amountMinor) };
}

/** The payment, as Telegram asks for it beforehand. */
export interface Checkout {
  readonly currency: string;
  readonly total: number;
  readonly payload: string;
}

/** Whether a check-out may go on. `withdrawn`: the invoice promises what is no longer offered. */
export type CheckoutVerdict = "pay" | "withdrawn" | "blocked";

/**
 * Decides about a check-out. Nothing has been paid yet, so whatever is unclear is refused.
 *
 * @param blocked Whether this person may not use the shop.
 */
export function judgeCheckout(
  { currency, payload, total }: Checkout,
  rules: TopupRules,
  blocked: boolean,
): CheckoutVerdict {
  if (blocked) return "blocked";
  const promised = readPayload(payload);
  const offered = offersOf(rules).some(
    ({ amountMinor, stars }) => stars === promised?.stars && amountMinor === promised.amountMinor,
  );
  return offered && currency === starCurrency && total === promised?.stars ? "pay" : "withdrawn";
}

/**
 * Returns what a payment puts into the account, in minor units.
 *
 * The money has been paid, so it is never refused: what the invoice promised, also when that is no longer
 * offered; the present value of the Stars when the payload is unreadable or was made for another price; 0
 * for another currency, which no invoice of ours asks for.
 */
export function worthOf({ currency, payload, total }: Checkout, rules: TopupRules): number {
  if (currency !== starCurrency) return 0;
  const promised = readPayload(payload);
  return promised?.stars === total ? promised.amountMinor : total * rules.starValueMinor;
}
