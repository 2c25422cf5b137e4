/** Shop setup: the example catalogue and rules for tests. */
import { readFileSync } from "node:fs";
import { type Catalogue, parseCatalogue } from "../../bot/shop/catalogue.ts";
import type { ShopRules } from "../../bot/shop/orders.ts";

const exampleFile = new URL("../../bot/shop/catalogue.json", import.meta.url);

export const exampleText: string = readFileSync(exampleFile, "utf8");

export const exampleCatalogue: Catalogue = parseCatalogue(exampleText, "catalogue.json");

export const dayMs = 24 * 60 * 60 * 1000;

export const rules: ShopRules = { catalogue: exampleCatalogue, cancelWindowMs: dayMs };

export const welcomeBalanceMinor = 5000;
