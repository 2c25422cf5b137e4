/** Catalogue file: taken over when it changes, and only when it can be used. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CatalogueError } from "../../bot/shop/catalogue.ts";
import { CatalogueFile } from "../../bot/shop/catalogue-file.ts";
import { exampleText } from "./shop-setup.ts";

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "catalogue-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "catalogue.json");
  const write = (text: string) => writeFileSync(path, text);
  write(exampleText);
  const file = new CatalogueFile(path);
  const price = () => file.catalogue.products[0]?.priceMinor;
  return { file, path, price, write };
}

test("a changed file is in force with the next look, and told once, in every attempt", () => {
  const { file, price, write } = setup();
  expect(file.look(1, 10_000)).toBeUndefined();
  write(exampleText.replace("900", "950 "));
  expect(file.look(2, 11_000)).toBeUndefined();
  expect(price()).toBe(900);
  expect(file.look(3, 12_000)).toBe("changed");
  expect(price()).toBe(950);
  expect(file.look(3, 12_000)).toBe("changed");
  expect(file.look(4, 15_000)).toBeUndefined();
});

test("a file with problems changes nothing, until it is mended", () => {
  const { file, price, write } = setup();
  write(exampleText.replace("900", "-900"));
  expect(file.look(1, 10_000)).toBe("refused");
  expect(price()).toBe(900);
  expect(file.problem).toMatchObject({ problems: [{ path: "products[0].priceMinor" }] });
  expect(file.look(2, 13_000)).toBeUndefined();
  write(exampleText.replace("900", "1000 "));
  expect(file.look(3, 16_000)).toBe("changed");
  expect(file.problem).toBeUndefined();
  expect(price()).toBe(1000);
});

test("a file that is gone, not JSON or in another currency is a problem", () => {
  const { file, path, price, write } = setup();
  rmSync(path);
  expect(file.look(1, 10_000)).toBe("refused");
  write("{");
  expect(file.look(2, 20_000)).toBe("refused");
  write(exampleText.replace("CNY", "EUR"));
  expect(file.look(3, 30_000)).toBe("refused");
  expect(file.problem?.message).toContain("CNY");
  expect(price()).toBe(900);
});

test("a bot does not start with a file that cannot be used", () => {
  const { path, write } = setup();
  write("{}");
  expect(() => new CatalogueFile(path)).toThrow(CatalogueError);
});
