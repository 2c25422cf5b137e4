/** Settings of the shop: rows of the configuration, beside the engine's own. */
import {
  amount,
  duration,
  integer,
  list,
  type ModuleSettings,
  optional,
  path,
  setting,
  text,
  type ValuesOf,
  webAddress,
} from "../kit/settings.ts";

const rows = {
  catalogueFile: optional(path(), {
    variable: "CATALOGUE_FILE",
    absent: "the catalogue that comes with the bot",
    sentence: "JSON file of the products that the shop sells.",
  }),
  welcomeBalanceMinor: setting(amount(0, 1_000_000), {
    variable: "WELCOME_BALANCE",
    default: 50,
    sentence: "Balance of a new user's account.",
  }),
  cancelWindowMs: setting(duration(0, 8_760, "hours"), {
    variable: "ORDER_CANCEL_WINDOW_HOURS",
    default: 24,
    sentence: "How long an order can be cancelled; 0: never.",
  }),
  topupAmounts: setting(list(integer(0, 100_000)), {
    variable: "TOPUP_AMOUNTS",
    default: "50,100,250,500",
    sentence: "Telegram Stars that /topup offers to pay; 0: no top-ups.",
  }),
  starValueMinor: setting(amount(0.01, 10_000), {
    variable: "TOPUP_STAR_VALUE",
    default: 0.1,
    sentence: "What one Star adds to the balance, in the shop's currency.",
  }),
  paymentSupport: optional(text(200), {
    variable: "SHOP_PAYMENT_SUPPORT",
    absent: "/paysupport names nobody",
    sentence: "Whom /paysupport names for questions about payments, such as @name or an address.",
  }),
  termsUrl: optional(webAddress(["https:"]), {
    variable: "SHOP_TERMS_URL",
    absent: "/terms shows the terms that come with the bot",
    sentence: "Page with the shop's terms, which /terms names.",
  }),
};

export type ShopSettings = ValuesOf<typeof rows>;

export const shopSettings: ModuleSettings<typeof rows> = {
  title: "Shop",
  rows,
  prefixes: ["CATALOGUE_", "SHOP_", "TOPUP_"],
};
