/** Settings of the shop: rows of the configuration, beside the engine's own. */
import {
  amount,
  duration,
  type ModuleSettings,
  miniAppAddress,
  optional,
  path,
  setting,
  type ValuesOf,
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
  miniAppUrl: optional(miniAppAddress(), {
    variable: "MINI_APP_URL",
    absent: "/start shows no Mini App button",
    sentence: "Address of the Mini App that /start offers.",
  }),
};

export type ShopSettings = ValuesOf<typeof rows>;

export const shopSettings: ModuleSettings<typeof rows> = {
  title: "Shop",
  rows,
  prefixes: ["CATALOGUE_", "MINI_APP_", "SHOP_"],
};
