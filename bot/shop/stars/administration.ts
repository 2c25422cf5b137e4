/**
 * Administration of payments: /refund and /reconcile, for administrators in their private chat.
 *
 * For everybody else these commands do not exist: they get the answer to an unknown command.
 */
import { Composer } from "telegraf";
import type { Transaction } from "../../core/transaction.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import { createFormats, type Format } from "../commands/format.ts";
import { type CommandOptions, wordsIn } from "../commands/routes.ts";
import { languageOf } from "../commands/texts.ts";
import { visitorOf } from "../commands/visitor.ts";
import { shopOf } from "../sqlite-tables.ts";
import { publishCredit, thanks } from "./payment-updates.ts";
import { fetchTransactions, settleBooks } from "./reconciliation.ts";
import type { Difference } from "./reconciliation-rules.ts";
import { type StarTexts, starTexts } from "./texts.ts";
import { type AskRefundResult, askRefund } from "./topups.ts";

export function paymentAdministration(options: CommandOptions): Composer<BotContext> {
  const composer = new Composer<BotContext>();
  const { formats = createFormats(options.catalogue.currency) } = options;
  const command = (
    name: string,
    handler: (ctx: BotContext, texts: StarTexts, format: Format) => Promise<string>,
  ) => {
    composer.command(name, async (ctx, next) => {
      const { inPrivateChat, language, userId } = visitorOf(ctx);
      if (!inPrivateChat || !options.adminIds.includes(userId)) return next();
      return ctx.reply(await handler(ctx, starTexts(language), formats[language]));
    });
  };

  command("refund", async (ctx, texts, format) => {
    const said = wordsIn(ctx) ?? "";
    const [, chargeId] = /^\/\S+\s+(\S{1,256})\s*$/.exec(said) ?? [];
    if (chargeId === undefined) return texts.refundUsage;
    const { userId: askedBy } = visitorOf(ctx);
    const result = await ctx.transaction((tx) => refundCharge(ctx, tx, chargeId, askedBy));
    if (result.kind === "asked") {
      const { again, debitedMinor, userId } = result;
      const facts = { chargeId, askedBy, again, debitedMinor };
      options.publish({ type: "business.recorded", name: "topup_refund_asked", userId, facts });
    }
    return outcomeText(result, texts, format);
  });

  command("reconcile", async (ctx, texts, format) => {
    const found = await reconcile(ctx, options, formats);
    const { open, openCount, settled, settledCount, transactions } = found;
    if (settledCount + openCount === 0) return texts.booksAgree(format.count(transactions));
    const line = ({ chargeId, kind, total }: Difference) =>
      texts.difference(chargeId, format.count(total), texts.differences[kind]);
    return [
      settledCount > 0 && texts.booksSettled(format.count(settledCount)),
      ...settled.map(line),
      openCount > 0 && texts.booksOpen(format.count(openCount)),
      ...open.map(line),
    ]
      .filter(Boolean)
      .join("\n");
  });

  return composer;
}

/**
 * Takes a payment's money out of the account and asks Telegram to give the Stars back, in this step. The
 * buyer is told when Telegram reports the refund.
 *
 * @param askedBy The administrator.
 */
export async function refundCharge(
  ctx: Pick<BotContext, "call">,
  tx: Transaction,
  chargeId: string,
  askedBy: number,
): Promise<AskRefundResult> {
  const result = await askRefund(tx, chargeId, askedBy);
  if (result.kind === "asked") {
    const { userId: user_id } = result;
    await ctx.call("refundStarPayment", { user_id, telegram_payment_charge_id: chargeId });
  }
  return result;
}

function outcomeText(result: AskRefundResult, texts: StarTexts, format: Format): string {
  switch (result.kind) {
    case "asked": {
      const stars = format.count(result.total);
      const user = String(result.userId);
      if (result.again) return texts.refundAskedAgain(stars, user);
      return texts.refundAsked(stars, format.money(result.debitedMinor), user);
    }
    case "spent":
      return texts.refundSpent(
        format.money(result.creditedMinor),
        format.money(result.balanceMinor),
      );
    case "refunded-before":
      return texts.refundBefore;
    case "unknown":
      return texts.refundUnknown;
  }
}

/** How many differences are named; the others are only counted. */
const namedMax = 20;

export interface Reconciled {
  /** Payments and refunds that Telegram lists. */
  readonly transactions: number;
  /** The first of those that were missing in the books, and were added to them. */
  readonly settled: readonly Difference[];
  readonly settledCount: number;
  /** The first of those that an administrator has to look at. */
  readonly open: readonly Difference[];
  readonly openCount: number;
}

/**
 * Compares the books with Telegram's list, adds what they lack, tells its payers, and reports what else
 * differs. For a command and for a schedule.
 */
export async function reconcile(
  ctx: Pick<BotContext, "call" | "telegram" | "transaction">,
  options: CommandOptions,
  formats: ReturnType<typeof createFormats>,
): Promise<Reconciled> {
  const listed = await fetchTransactions((page) => ctx.call("getStarTransactions", page));
  const { credits, ...reconciled } = await ctx.transaction(async (tx) => {
    const { open, settled } = await settleBooks(tx, options, listed);
    for (const { credit, payment } of settled) {
      if (credit?.kind !== "credited") continue;
      const profile = await shopOf(tx).findProfile(payment.userId);
      const language = languageOf(profile?.languageCode);
      const said = thanks(starTexts(language), formats[language], payment, credit);
      await ctx.telegram.sendMessage(payment.userId, said);
    }
    const named = settled.slice(0, namedMax);
    return {
      transactions: listed.length,
      credits: named.flatMap(({ credit, payment }) => (credit ? [{ credit, payment }] : [])),
      settled: named.map(({ difference }) => difference),
      settledCount: settled.length,
      open: open.slice(0, namedMax),
      openCount: open.length,
    };
  }, "reconcile");
  for (const { credit, payment } of credits) publishCredit(options, payment, credit);
  const { open, openCount, settled, settledCount } = reconciled;
  const [first] = [...open, ...settled];
  if (first) {
    const { chargeId, kind } = first;
    options.publish({ type: "payments.differed", openCount, settledCount, chargeId, kind });
  }
  if (openCount === 0) options.publish({ type: "payments.agreed", transactions: listed.length });
  return reconciled;
}
