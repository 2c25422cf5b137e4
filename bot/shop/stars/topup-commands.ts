/** /topup, /terms and /paysupport: offer invoices in Telegram Stars, with what Telegram's rules demand. */
import { button, keyboard } from "../commands/keyboard.ts";
import {
  type CommandOptions,
  createRoutes,
  parseCount,
  type Routes,
  type Turn,
} from "../commands/routes.ts";
import { starTexts } from "./texts.ts";
import { type Offer, offersOf, starCurrency, toPayload } from "./topup-rules.ts";

export function topupRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  const { paymentSupport: contact, termsUrl } = options;

  routes.privateCommand("topup", ({ ctx, format, visitor }) => {
    const texts = starTexts(visitor.language);
    const offers = offersOf(options);
    if (offers.length === 0) return ctx.reply(texts.topupClosed);
    const row = ({ amountMinor, stars }: Offer) => [
      button(texts.offer(format.count(stars), format.money(amountMinor)), `topup:${stars}`),
    ];
    return ctx.reply(texts.topup, keyboard(...offers.map(row)));
  });

  routes.press("topup", async (turn, [written]) => {
    const stars = parseCount(written);
    const offer = offersOf(options).find((one) => one.stars === stars);
    if (!offer) return starTexts(turn.visitor.language).withdrawn;
    await sendInvoice(turn, offer);
    return undefined;
  });

  // Everybody may read these, also in a group: they hold nothing private.
  routes.command("paysupport", ({ ctx, visitor }) => {
    const texts = starTexts(visitor.language);
    return ctx.reply(texts.paySupport(contact ? texts.paySupportContact(contact) : ""), plain);
  });
  routes.command("terms", ({ ctx, visitor }) => {
    const texts = starTexts(visitor.language);
    return ctx.reply(texts.terms(termsUrl ? texts.termsLink(termsUrl) : ""), plain);
  });

  return routes;
}

const plain = { link_preview_options: { is_disabled: true } };

async function sendInvoice({ ctx, format, visitor }: Turn, offer: Offer): Promise<void> {
  const texts = starTexts(visitor.language);
  const amount = format.money(offer.amountMinor);
  await ctx.call("sendInvoice", {
    chat_id: visitor.userId,
    title: texts.invoiceTitle(amount),
    description: texts.invoiceDescription(format.count(offer.stars), amount),
    payload: toPayload(offer),
    provider_token: "",
    currency: starCurrency,
    prices: [{ label: texts.invoiceTitle(amount), amount: offer.stars }],
    // A forwarded copy then leads to the bot, where its reader can make a top-up of their own.
    start_parameter: "topup",
  });
}
