/** Catalogue: which files are accepted and how mistakes are reported. */
import { expect, test } from "vitest";
import { CatalogueError, findProduct, parseCatalogue } from "../../bot/shop/catalogue.ts";
import { exampleCatalogue, exampleText } from "./shop-setup.ts";

function problemsOf(text: string) {
  try {
    parseCatalogue(text, "shop.json");
  } catch (error) {
    if (error instanceof CatalogueError) return error;
  }
  throw new Error("the catalogue was accepted");
}

/** Returns the example with changed fields in its second product or in the file. */
function changed(path: "file" | "product", fields: object): string {
  const file = JSON.parse(exampleText);
  Object.assign(path === "file" ? file : file.products[1], fields);
  return JSON.stringify(file);
}

test("the example is accepted and frozen, with six products", () => {
  expect(exampleCatalogue.products).toHaveLength(6);
  expect(findProduct(exampleCatalogue, "latte")?.priceMinor).toBe(1250);
  expect(findProduct(exampleCatalogue, "toString")).toBeUndefined();
  expect(Object.isFrozen(exampleCatalogue.products[0]?.name)).toBe(true);
});

test("a leading byte order mark does no harm", () => {
  expect(parseCatalogue(`\uFEFF${exampleText}`, "shop.json")).toEqual(exampleCatalogue);
});

test.each([
  ["file", { currency: "yuan" }, "currency"],
  ["file", { exponent: 2.5 }, "exponent"],
  ["file", { products: [] }, "products"],
  ["file", { products: "none" }, "products"],
  ["file", { product: [] }, "product"],
  ["product", { sku: "Flat White" }, "products[1].sku"],
  ["product", { sku: "s".repeat(25) }, "products[1].sku"],
  ["product", { sku: "espresso" }, "products[1].sku"],
  ["product", { priceMinor: 12.5 }, "products[1].priceMinor"],
  ["product", { priceMinor: 0 }, "products[1].priceMinor"],
  ["product", { priceMinor: -1 }, "products[1].priceMinor"],
  ["product", { priceMinor: "1250" }, "products[1].priceMinor"],
  ["product", { priceMinor: 1e300 }, "products[1].priceMinor"],
  ["product", { name: { zh: "拿铁" } }, "products[1].name.en"],
  ["product", { name: { zh: "拿铁", en: "  " } }, "products[1].name.en"],
  ["product", { name: { zh: "拿铁", en: "two\nlines" } }, "products[1].name.en"],
  ["product", { description: { zh: "好", en: "\ud800" } }, "products[1].description.en"],
  ["product", { description: null }, "products[1].description"],
  ["product", { colour: "white" }, "products[1].colour"],
] as const)("a wrong %s %j is one problem, at %s", (where, fields, path) => {
  const { code, message, problems } = problemsOf(changed(where, fields));
  expect(code).toBe("CATALOGUE_INVALID");
  expect(problems).toEqual([
    {
      path,
      expected: expect.stringMatching(/\w/),
      received: expect.stringMatching(/\S/),
      hint: expect.stringMatching(/\w/),
    },
  ]);
  expect(message).toContain("shop.json");
});

test("all problems are reported at once", () => {
  const file = JSON.parse(exampleText);
  file.currency = 5;
  file.products[0].priceMinor = null;
  file.products[3].sku = "latte";
  const { problems } = problemsOf(JSON.stringify(file));
  expect(problems.map((problem) => problem.path)).toEqual([
    "currency",
    "products[0].priceMinor",
    "products[3].sku",
  ]);
});

test.each(["", "{", "null", "[]", "5", '"x"'])("%j is not a catalogue", (text) => {
  expect(problemsOf(text).problems).toMatchObject([{ path: "(file)" }]);
});
