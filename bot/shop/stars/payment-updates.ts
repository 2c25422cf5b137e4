/**
 * Payment updates: answers check-outs, credits payments and records refunds.
 *
 * They come before the gate and the limit on requests, because money that was paid is never turned away.
 * What Telegram reports in a form that cannot be read fails, so it is kept as a dead letter, and the
 * reconciliation credits it from Telegram's own list.
 */
import { Composer } from "telegraf";
import { z } from "zod";
import { BotError } from "../../core/errors.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { Language } from "../catalogue.ts";
import { createFormats, type Format } from "../commands/format.ts";
import { type CommandOptions, replyWithPrivateChat } from "../commands/routes.ts";
import { languageOf, texts } from "../commands/texts.ts";
import { shopOf } from "../sqlite-tables.ts";
import { type StarTexts, starTexts } from "./texts.ts";
import { judgeCheckout } from "./topup-rules.ts";
import { type CreditResult, creditPayment, type Payment, recordRefund } from "./topups.ts";

/** Telegram reports a payment in a form that cannot be read. */
export class UnreadablePaymentError extends BotError {
  override readonly code = "PAYMENT_UNREADABLE";
  override readonly transient = false;

  constructor() {
    super("a payment was reported in a form that cannot be read", {
      hint: "Put it back after an update of the bot, or send /reconcile: it credits what Telegram lists.",
    });
  }
}

const person = z.object({
  id: z.int().positive(),
  language_code: z.string().optional().catch(undefined),
});

const checkoutQuery = z.object({
  id: z.string().regex(/^[\w-]{1,64}$/),
  from: person,
  currency: z.string(),
  total_amount: z.int(),
  invoice_payload: z.string(),
});

const report = z.object({
  currency: z.string(),
  total_amount: z.int().positive(),
  // What cannot be read is worth its Stars (topup-rules.ts).
  invoice_payload: z.string().catch(""),
  telegram_payment_charge_id: z.string().min(1).max(256),
});

const paid = z.object({
  chat: z.object({ id: z.int() }),
  from: person,
  successful_payment: report,
});

/** Its sender is the bot itself. */
const refunded = z.object({ chat: z.object({ id: z.int() }), refunded_payment: report });

export function paymentUpdates(options: CommandOptions): Composer<BotContext> {
  const composer = new Composer<BotContext>();
  const { formats = createFormats(options.catalogue.currency) } = options;
  const credit = async (ctx: BotContext) => {
    const { chat, from, successful_payment } = read(paid, messageIn(ctx));
    const language = languageOf(from.language_code);
    const payment = toPayment(from.id, successful_payment);
    const result = await ctx.transaction((tx) => creditPayment(tx, options, payment));
    publishCredit(options, payment, result);
    await thank(ctx, payment, result, chat.id === from.id, language, formats[language]);
  };
  const refund = (ctx: BotContext) => {
    const { chat, refunded_payment } = read(refunded, messageIn(ctx));
    return takeRefund(ctx, options, formats, toPayment(chat.id, refunded_payment));
  };
  return composer.use(
    Composer.optional(
      (ctx: BotContext) => checkoutIn(ctx) !== undefined,
      (ctx) => answerCheckout(ctx, options, checkoutIn(ctx)),
    ),
    Composer.optional((ctx: BotContext) => "successful_payment" in messageIn(ctx), credit),
    Composer.optional((ctx: BotContext) => "refunded_payment" in messageIn(ctx), refund),
  );
}

function checkoutIn({ update }: BotContext): unknown {
  return "pre_checkout_query" in update ? update.pre_checkout_query : undefined;
}

const noMessage = {};

/** The message of an update as it came, which may be anything. */
function messageIn({ update }: BotContext): object {
  const message: unknown = "message" in update ? update.message : undefined;
  return typeof message === "object" && message !== null ? message : noMessage;
}

function read<T>(schema: z.ZodType<T>, message: object): T {
  const found = schema.safeParse(message);
  if (!found.success) throw new UnreadablePaymentError();
  return found.data;
}

function toPayment(userId: number, fields: z.infer<typeof report>): Payment {
  return {
    chargeId: fields.telegram_payment_charge_id,
    userId,
    currency: fields.currency,
    total: fields.total_amount,
    payload: fields.invoice_payload,
  };
}

async function answerCheckout(
  ctx: BotContext,
  { mayPay, publish, ...rules }: CommandOptions,
  raw: unknown,
): Promise<void> {
  const query = checkoutQuery.safeParse(raw).data;
  if (!query) {
    // Without an answer the person waits for ten seconds, and is not charged either.
    const reason = "malformed: pre_checkout_query";
    publish({ type: "update.ignored", updateId: ctx.update.update_id, reason });
    return;
  }
  const { currency, from, id, invoice_payload: payload, total_amount: total } = query;
  const welcome = mayPay ? await ctx.transaction((tx) => mayPay(tx, from.id)) : true;
  const verdict = judgeCheckout({ currency, payload, total }, rules, !welcome);
  if (verdict === "pay") {
    await ctx.call("answerPreCheckoutQuery", { pre_checkout_query_id: id, ok: true });
    return;
  }
  const error_message = starTexts(languageOf(from.language_code))[verdict];
  await ctx.call("answerPreCheckoutQuery", { pre_checkout_query_id: id, ok: false, error_message });
  const facts = { verdict, total };
  publish({ type: "business.recorded", name: "checkout_refused", userId: from.id, facts });
}

/** Reports a credit to log and metrics. */
export function publishCredit(
  { publish, welcomeBalanceMinor }: CommandOptions,
  { chargeId, total, userId }: Payment,
  result: CreditResult,
): void {
  if (result.kind === "known") return;
  const record = (name: string, facts: Readonly<Record<string, number | string>>) =>
    publish({ type: "business.recorded", name, userId, facts });
  if (result.kind === "kept") {
    record("payment_kept", { chargeId, total });
    return;
  }
  if (result.opened) record("user_registered", { welcomeBalanceMinor });
  record("topup_credited", { chargeId, total, amountMinor: result.creditedMinor });
}

/** Tells the payer, and in a group nothing that is private. */
async function thank(
  ctx: BotContext,
  payment: Payment,
  result: CreditResult,
  inPrivateChat: boolean,
  language: Language,
  format: Format,
): Promise<void> {
  const said = starTexts(language);
  if (result.kind === "known") return;
  if (!inPrivateChat) {
    await replyWithPrivateChat({ ctx, texts: texts(language) }, said.creditedInGroup);
    return;
  }
  const text =
    result.kind === "kept" ? said.kept(payment.chargeId) : thanks(said, format, payment, result);
  await ctx.telegram.sendMessage(payment.userId, text);
}

/** The text that the payer reads when a payment was credited. */
export function thanks(
  texts: StarTexts,
  { money }: Format,
  { chargeId }: Payment,
  { balanceMinor, creditedMinor }: Extract<CreditResult, { readonly kind: "credited" }>,
): string {
  return texts.credited(money(creditedMinor), money(balanceMinor), chargeId);
}

async function takeRefund(
  ctx: BotContext,
  options: CommandOptions,
  formats: ReturnType<typeof createFormats>,
  payment: Payment,
): Promise<void> {
  const { chargeId, total } = payment;
  const step = await ctx.transaction(async (tx) => {
    const result = await recordRefund(tx, payment);
    if (result.kind === "known") return result;
    const profile = await shopOf(tx).findProfile(result.userId);
    return { ...result, language: languageOf(profile?.languageCode) };
  });
  if (step.kind === "known") return;
  const { asked, debitedMinor, language, shortMinor, userId } = step;
  const text = starTexts(language).refunded(
    formats[language].count(total),
    formats[language].money(debitedMinor),
    chargeId,
  );
  await ctx.telegram.sendMessage(userId, text);
  const facts = { chargeId, total, asked, debitedMinor, shortMinor };
  options.publish({ type: "business.recorded", name: "topup_refunded", userId, facts });
}
