/** Shop setup: provides the example catalogue, rules and module for tests. */

import { readFileSync } from "node:fs";
import type { MiniApp } from "../../bot/kit/mini-app.ts";
import type { BotModule, Kit } from "../../bot/kit/module.ts";
import { type Catalogue, parseCatalogue } from "../../bot/shop/catalogue.ts";
import type { CommandOptions } from "../../bot/shop/commands/routes.ts";
import { registerCommands, shop } from "../../bot/shop/module.ts";
import type { ShopRules } from "../../bot/shop/orders.ts";
import type { StarOptions } from "../../bot/shop/stars/star-options.ts";
import { bareKit } from "../support/bare-kit.ts";
import { InMemoryShopTables } from "./in-memory-shop-tables.ts";

const exampleFile = new URL("../../bot/shop/catalogue.json", import.meta.url);

export const exampleText: string = readFileSync(exampleFile, "utf8");

export const exampleCatalogue: Catalogue = parseCatalogue(exampleText, "catalogue.json");

export const dayMs = 24 * 60 * 60 * 1000;

export const rules: ShopRules = { catalogue: exampleCatalogue, cancelWindowMs: dayMs };

export const welcomeBalanceMinor = 5000;

export const starOptions: StarOptions = {
  topupAmounts: [50, 100],
  starValueMinor: 10,
};

/** Takes what the shop registers for its page, and never calls it. */
export const unservedMiniApp: MiniApp = {
  url: undefined,
  ask: () => {},
  act: () => (_, next) => next(),
};

/** Returns the module and kit of a shop that sells the example catalogue. */
export function shopWith(overrides: Partial<CommandOptions> = {}) {
  // Nothing is known about anybody, unless a test brings its own tables.
  const nothing = new InMemoryShopTables();
  const kit: Kit<Readonly<Record<string, unknown>>> = {
    ...bareKit,
    // The tasks of campaigns and the Mini App have tests of their own.
    later: () => (_, next) => next(),
    miniApp: unservedMiniApp,
    read: (work) => nothing.transaction(work),
  };
  const options: CommandOptions = {
    ...kit,
    ...rules,
    ...starOptions,
    welcomeBalanceMinor,
    ...overrides,
  };
  const module: BotModule = { ...shop, setup: (bot) => registerCommands(bot, options) };
  return { module, kit };
}
