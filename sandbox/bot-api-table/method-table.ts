/**
 * Method table: every method of the newest Bot API with its parameters, as data.
 *
 * `methods.json` is written by `npm run sandbox:methods` from a package of types.
 */
import { readFileSync } from "node:fs";

export interface MethodTable {
  /** The package and version that it was made from. */
  readonly source: string;
  readonly methods: Readonly<Record<string, MethodRow>>;
}

export interface MethodRow {
  /** The result's type; `|` separates alternatives. */
  readonly returns: string;
  /**
   * Kind by name. A name with `?` at its end is optional. The kind is `boolean`, `file`, `number`,
   * `string`, two of them with `|` between, `json`, or `one of` and the words; then, for a text or a
   * number, the smallest and the largest length or value.
   */
  readonly parameters: Readonly<Record<string, string>>;
}

export const tablePath = new URL("./methods.json", import.meta.url);

export function readMethodTable(): MethodTable {
  return JSON.parse(readFileSync(tablePath, "utf8")) as MethodTable;
}

/** The names of a method's required parameters. */
export function requiredParameters({ parameters }: MethodRow): readonly string[] {
  return Object.keys(parameters).filter((name) => !name.endsWith("?"));
}
