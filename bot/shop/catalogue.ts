/**
 * Catalogue: reads the products of the shop from a file that a human edits.
 *
 * The file names its currency once; every price is an integer in that currency's minor unit.
 */
import { z } from "zod";
import { BotError } from "../core/errors.ts";
import { exitCode } from "../core/exit-code.ts";

/** A text in every language the bot speaks. To add a language, begin here. */
export interface LocalizedText {
  readonly zh: string;
  readonly en: string;
}

/** A language the bot speaks. */
export type Language = keyof LocalizedText;

export interface Currency {
  /** ISO 4217, e.g. "CNY". */
  readonly code: string;
  /** The minor unit's decimal digits: 2 for cents, 0 for yen. */
  readonly exponent: number;
}

export interface Product {
  /** The stable name used in orders and buttons: `[a-z0-9-]`, at most 24 characters. */
  readonly sku: string;
  readonly priceMinor: number;
  readonly name: LocalizedText;
  readonly description: LocalizedText;
  /** Id of the category that it is listed in. Default: it is listed beside the categories. */
  readonly category?: string | undefined;
  /** True: it is neither listed nor sold. Default false. */
  readonly hidden?: boolean | undefined;
  /** Telegram's id of a photo that is shown with it. Default: none. */
  readonly picture?: string | undefined;
  /** How many there are; a number that is new in the file sets the stock. Default: they are not counted. */
  readonly stock?: number | undefined;
  /** True: each buyer gets a code, and there are as many as codes. Default false. */
  readonly digital?: boolean | undefined;
}

export interface Category {
  readonly id: string;
  readonly name: LocalizedText;
}

export interface Catalogue {
  readonly currency: Currency;
  /** 0 to 20 categories, in display order. */
  readonly categories: readonly Category[];
  /** 1 to 50 products, in display order. */
  readonly products: readonly Product[];
}

/** One mistake in a catalogue file. */
export interface CatalogueProblem {
  /** The field, e.g. `products[2].priceMinor`; `(file)` for the file as a whole. */
  readonly path: string;
  readonly expected: string;
  readonly received: string;
  readonly hint: string;
}

/** The catalogue file cannot be used; lists all problems at once. */
export class CatalogueError extends BotError {
  override readonly code = "CATALOGUE_INVALID";
  override readonly transient = false;
  override readonly exitCode = exitCode.configuration;
  readonly problems: readonly CatalogueProblem[];

  constructor(
    problems: readonly CatalogueProblem[],
    { fileName, ...options }: ErrorOptions & { readonly fileName: string },
  ) {
    const lines = problems.map(
      (p) => `  ${p.path}: expected ${p.expected}, received ${p.received}. ${p.hint}`,
    );
    super(`${fileName}: ${problems.length} problem(s) in the catalogue:\n${lines.join("\n")}`, {
      ...options,
      hint: `Correct ${fileName} and start again.`,
    });
    this.problems = problems;
  }
}

/** A trillion minor units, so that thousands of such prices still add up to a safe integer. */
const priceMinorMax = 10 ** 12;

/** Telegram takes 100 buttons per message; a list longer than half of that would need pages. */
const productsMax = 50;

const categoriesMax = 20;
const stockMax = 1_000_000;

const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).refine((n) => Number.isSafeInteger(n) && n >= min && n <= max, error);
};

const word = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });

const line = (lengthMax: number) => {
  const error = `a text of 1 to ${lengthMax} characters without control characters`;
  return z.string({ error }).refine((text) => {
    const length = text.trim() === "" ? 0 : text.length;
    return length >= 1 && length <= lengthMax && text.isWellFormed() && !/\p{Cc}/u.test(text);
  }, error);
};

/** An object without other fields; its message lists the known fields. */
const record = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, { error: `an object with ${Object.keys(shape).join(", ")}` });

const localized = (lengthMax: number) => record({ zh: line(lengthMax), en: line(lengthMax) });

const categoryPattern = /^[a-z0-9-]{1,24}$/;
const categoryError = "a category of a-z, 0-9 and -, 1 to 24 characters";

const productSchema = record({
  // Button data has 64 bytes and holds the sku, the price and a key (shop/commands/shop.ts).
  sku: word(/^[a-z0-9-]{1,24}$/, "a name of a-z, 0-9 and -, 1 to 24 characters"),
  priceMinor: whole(1, priceMinorMax),
  name: localized(64),
  description: localized(500),
  category: word(categoryPattern, categoryError).optional(),
  hidden: z.boolean({ error: "true or false" }).optional(),
  picture: word(/^[\w-]{10,200}$/, "the file id of a photo").optional(),
  stock: whole(0, stockMax).optional(),
  digital: z.boolean({ error: "true or false" }).optional(),
});

const categorySchema = record({
  id: word(categoryPattern, categoryError),
  name: localized(64),
});

const categoriesError = `a list of at most ${categoriesMax} categories`;

const productsError = `a list of 1 to ${productsMax} products`;

const fileSchema = record({
  currency: word(/^[A-Z]{3}$/, "three capital letters"),
  exponent: whole(0, 4),
  categories: z
    .array(categorySchema, { error: categoriesError })
    .max(categoriesMax, { error: categoriesError })
    .optional(),
  products: z
    .array(productSchema, { error: productsError })
    .refine(({ length }) => length >= 1 && length <= productsMax, productsError),
});

/** Hints by the last name in the path. */
const hints: Readonly<Record<string, string>> = {
  currency: 'Write the ISO 4217 code, e.g. "CNY".',
  exponent: "Write how many decimal digits the currency has, e.g. 2.",
  products: "List at least one product between the square brackets.",
  categories: "Leave it out, or list what the products are sorted into.",
  id: "Choose a short name, and use it as the category of products.",
  category: "Use the id of one of the categories.",
  hidden: "Write true to take the product out of the shop.",
  picture: "Send the photo to the bot in /admin, or leave it out.",
  stock: "Write how many there are, or leave it out.",
  digital: "Write true where buyers get a code.",
  sku: "Choose a short name and never change it: orders refer to it.",
  priceMinor: "Write the price in minor units, e.g. 1250 for 12.50.",
  name: "Write the name in every language.",
  description: "Write the description in every language.",
  zh: "Write the Chinese text.",
  en: "Write the English text.",
};

/**
 * Parses a catalogue file's text.
 *
 * @param fileName Used only in error messages.
 * @returns the frozen catalogue. Throws `CatalogueError` with every problem found.
 */
export function parseCatalogue(text: string, fileName: string): Catalogue {
  const raw = parseJson(text, fileName);
  const parsed = fileSchema.safeParse(raw);
  const problems = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => problemsOf(issue, raw)),
    ...repeatedSkus(raw),
    ...unknownCategories(raw),
  ];
  if (!parsed.success || problems.length > 0) {
    throw new CatalogueError(problems, { fileName });
  }
  const { categories = [], currency, exponent, products } = parsed.data;
  return deepFreeze({ currency: { code: currency, exponent }, categories, products });
}

/** Returns the product with this sku if it is still sold. */
export function findProduct(catalogue: Catalogue, sku: string): Product | undefined {
  return catalogue.products.find((product) => product.sku === sku);
}

function parseJson(text: string, fileName: string): unknown {
  try {
    // Some Windows editors add a byte order mark, which is not part of JSON.
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const received = error instanceof Error ? error.message : "something unreadable";
    const hint = "Look for a missing or extra comma, quote or bracket there.";
    const problem = { path: "(file)", expected: "JSON", received, hint };
    throw new CatalogueError([problem], { fileName, cause: error });
  }
}

function problemsOf(issue: z.core.$ZodIssue, raw: unknown): CatalogueProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: writePath([...issue.path, key]),
      expected: issue.message,
      received: `the unknown field "${key}"`,
      hint: "Remove it or correct its name.",
    }));
  }
  return [
    {
      path: writePath(issue.path),
      expected: issue.message,
      received: describe(valueAt(raw, issue.path)),
      hint: hints[String(issue.path.at(-1))] ?? "Compare with the example catalogue.",
    },
  ];
}

/** Finds repeated skus apart from the schema, so they are reported even with other problems. */
function repeatedSkus(raw: unknown): CatalogueProblem[] {
  const products = valueAt(raw, ["products"]);
  if (!Array.isArray(products)) {
    return [];
  }
  const skus = products.map((product) => valueAt(product, ["sku"]));
  return skus.flatMap((sku, index) => {
    const first = skus.indexOf(sku);
    return typeof sku !== "string" || first === index
      ? []
      : {
          path: `products[${index}].sku`,
          expected: "a name that no other product has",
          received: describe(sku),
          hint: `products[${first}] already has it; rename this one.`,
        };
  });
}

function unknownCategories(raw: unknown): CatalogueProblem[] {
  const list = (name: string) => {
    const value = valueAt(raw, [name]);
    return Array.isArray(value) ? value : [];
  };
  const known = list("categories").map((category) => valueAt(category, ["id"]));
  return list("products").flatMap((product, index) => {
    const category = valueAt(product, ["category"]);
    if (typeof category !== "string" || known.includes(category)) return [];
    return {
      path: `products[${index}].category`,
      expected: "the id of one of the categories",
      received: describe(category),
      hint: "Add it to the categories, or correct it.",
    };
  });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? inner[key as keyof typeof inner]
        : undefined,
    value,
  );
}

function writePath(path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  return text.join("").replace(/^\./, "") || "(file)";
}

function describe(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) {
      deepFreeze(inner);
    }
  }
  return Object.freeze(value);
}
