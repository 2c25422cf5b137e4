/**
 * Module: the shop with accounts, a catalogue and orders, which runs unless another one is named.
 */
import { fileURLToPath } from "node:url";
import type { Telegraf } from "telegraf";
import type { BotContext } from "../kit/bot-context.ts";
import type { BotModule } from "../kit/module.ts";
import { actTables } from "./admin/acts.ts";
import { adminRoutes } from "./admin/admin.ts";
import { campaignTurns } from "./campaigns/broadcast-desk.ts";
import { campaignTables } from "./campaigns/campaign-tables.ts";
import { CatalogueFile } from "./catalogue-file.ts";
import { balanceRoutes } from "./commands/balance.ts";
import { exportRoutes } from "./commands/export.ts";
import { fallback } from "./commands/fallback.ts";
import { forgetRoutes } from "./commands/forget.ts";
import { createFormats } from "./commands/format.ts";
import { helpRoutes } from "./commands/help.ts";
import { noteRoutes } from "./commands/note.ts";
import { ordersRoutes } from "./commands/orders.ts";
import { limitRequests } from "./commands/rapid-requests.ts";
import type { CommandOptions } from "./commands/routes.ts";
import { shopRoutes } from "./commands/shop.ts";
import { startRoutes } from "./commands/start.ts";
import { commandList, failureNotice } from "./commands/texts.ts";
import { gate } from "./commands/visitor.ts";
import { followCatalogue } from "./follow-catalogue.ts";
import { miniAppRoutes } from "./mini-app/mini-app-routes.ts";
import { dayTables } from "./panel/day-tables.ts";
import { panelTexts } from "./panel/panel-texts.ts";
import { ShopPanel } from "./panel/shop-panel.ts";
import { knowPerson } from "./people/know-person.ts";
import { languageRoutes } from "./people/language.ts";
import { standingOf } from "./people/standing.ts";
import { type ShopSettings, shopSettings } from "./settings.ts";
import { shopTables } from "./sqlite-tables.ts";
import { paymentAdministration, reconcile } from "./stars/administration.ts";
import { paymentBooks } from "./stars/books.ts";
import { paymentUpdates } from "./stars/payment-updates.ts";
import { starTables } from "./stars/star-tables.ts";
import { topupRoutes } from "./stars/topup-commands.ts";
import { offersOf } from "./stars/topup-rules.ts";
import { stockTables } from "./stock/stock-tables.ts";
import { supportDeskRoutes, supportRoutes } from "./support/support.ts";
import { ticketTables } from "./support/ticket-tables.ts";

const shippedCatalogue = fileURLToPath(new URL("catalogue.json", import.meta.url));

/** Daily, when few people buy. UTC. */
const reconciledAt = "30 4 * * *";

export const shop: BotModule<ShopSettings> = {
  name: "shop",
  settings: shopSettings,
  tables: [shopTables, stockTables, actTables, ticketTables, starTables, campaignTables, dayTables],
  people: shopTables,
  books: paymentBooks,
  commandMenus: [
    { languageCode: "", commands: commandList("en") },
    { languageCode: "zh", commands: commandList("zh") },
  ],
  setup: (bot, { settings, ...kit }) => {
    const file = new CatalogueFile(settings.catalogueFile ?? shippedCatalogue);
    bot.use(followCatalogue(file, kit));
    const options: CommandOptions = {
      ...kit,
      ...settings,
      get catalogue() {
        return file.catalogue;
      },
      catalogueProblem: () => file.problem,
      mayPay: async (tx, userId) => !(await standingOf(tx, userId)).blocked,
    };
    registerCommands(bot, options);
    const panel = new ShopPanel(options);
    kit.panel("shop", panelTexts.title, () => panel.read());
    if (offersOf(options).length === 0) return;
    kit.schedule("reconcile", { cron: reconciledAt }, async (ctx) => {
      await reconcile(ctx, options, createFormats(file.catalogue.currency));
    });
  },
  miniApp: new URL("mini-app/page/", import.meta.url),
  lastWords: failureNotice,
};

/** Registers the gate, every command, and the fallback for everything else. */
export function registerCommands(bot: Telegraf<BotContext>, options: CommandOptions): void {
  const { judgeRequest, publish, read } = options;
  const shared: CommandOptions = {
    ...options,
    // The catalogue in force, which changes with its file.
    get catalogue() {
      return options.catalogue;
    },
    formats: createFormats(options.catalogue.currency),
  };
  bot.use(campaignTurns(shared), paymentUpdates(shared));
  bot.use(gate(publish), knowPerson(read), limitRequests(judgeRequest, publish));
  for (const routes of [supportDeskRoutes, adminRoutes]) bot.use(routes(shared).composer);
  const all = [startRoutes, balanceRoutes, shopRoutes, ordersRoutes, noteRoutes, topupRoutes];
  for (const routes of [
    ...all,
    languageRoutes,
    exportRoutes,
    forgetRoutes,
    helpRoutes,
    miniAppRoutes,
  ]) {
    bot.use(routes(shared).composer);
  }
  bot.use(paymentAdministration(shared));
  bot.use(supportRoutes(shared).composer);
  bot.use(fallback(publish));
}
