/**
 * Module form: what is wrong with a value that should be a module, every field at once.
 *
 * A file that is run as it is written has no compiler in front of it.
 */
import type { ConfigurationProblem } from "../../core/errors.ts";
import { updateKinds } from "../bot-api.ts";
import type { BotModule } from "../module.ts";

/** Tells what a value should have been; `undefined` when it is right. */
type Check = (value: unknown) => string | undefined;

const hint = "defineBot({ setup(bot, kit) { … } }) makes a module; docs/writing-a-bot.md shows it.";

const is =
  (expected: string, holds: (value: unknown) => boolean): Check =>
  (value) =>
    holds(value) ? undefined : expected;

const text = is("a text", (value) => typeof value === "string" && value.trim() !== "");
const called = is("a function", (value) => typeof value === "function");
const isTables = (value: unknown) =>
  isObject(value) &&
  typeof value["name"] === "string" &&
  Array.isArray(value["migrations"]) &&
  Array.isArray(value["sealedColumns"]) &&
  typeof value["open"] === "function";
const tables = "a table set: { name, migrations, sealedColumns, open }";
const isSetting = (value: unknown) =>
  isObject(value) && typeof value["variable"] === "string" && isObject(value["kind"]);
const isMenu = (value: unknown) =>
  isObject(value) &&
  typeof value["languageCode"] === "string" &&
  isListOf(
    value["commands"],
    (item) =>
      isObject(item) &&
      typeof item["command"] === "string" &&
      typeof item["description"] === "string",
  );

const fields: Readonly<Record<keyof BotModule, Check>> = {
  name: text,
  setup: (value) => {
    if (typeof value !== "function") return "a function";
    // Handlers that are registered after a wait would miss the updates before it.
    return value.constructor.name === "AsyncFunction" ? "a function that is not async" : undefined;
  },
  settings: is(
    "settings: { title, rows }, each row made by setting(…) or optional(…)",
    (value) =>
      isObject(value) &&
      typeof value["title"] === "string" &&
      isObject(value["rows"]) &&
      Object.values(value["rows"]).every(isSetting),
  ),
  tables: is(`a list of table sets: [${tables.slice(13)}]`, (value) => isListOf(value, isTables)),
  people: is(tables, isTables),
  books: is(
    "books: { tables, compare }",
    (value) =>
      isObject(value) && isTables(value["tables"]) && typeof value["compare"] === "function",
  ),
  commandMenus: is(
    "a list of menus: [{ languageCode, commands: [{ command, description }] }]",
    (value) => isListOf(value, isMenu),
  ),
  updates: is('a list of kinds of updates, such as ["message_reaction"]', (value) =>
    isListOf(value, (item) => updateKinds.some((kind) => kind === item)),
  ),
  miniApp: is(
    'the folder of its page: new URL("page/", import.meta.url)',
    (value) => value instanceof URL && value.protocol === "file:" && value.href.endsWith("/"),
  ),
  lastWords: called,
};

const required: readonly string[] = ["name", "setup"];

/**
 * @param source Where the file was named, for the problems.
 * @param file Its path, for people.
 */
export function moduleProblems(
  value: unknown,
  source: string,
  file: string,
): readonly ConfigurationProblem[] {
  const problem = (expected: string, received: string): ConfigurationProblem => ({
    variable: `${source} (${file})`,
    expected,
    received,
    hint,
  });
  if (!isObject(value)) {
    return [problem("its default export to be a module", kindOf(value))];
  }
  const wrong = Object.entries(fields).flatMap(([name, check]) => {
    const given = value[name];
    if (given === undefined && !required.includes(name)) return [];
    const expected = check(given);
    return expected === undefined ? [] : [problem(`${name} to be ${expected}`, kindOf(given))];
  });
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
  return [
    ...wrong,
    ...unknown.map((name) =>
      problem(`only fields of a module (${Object.keys(fields).join(", ")})`, `also ${name}`),
    ),
  ];
}

/** Names what a value is, without showing it. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") {
    if (value.constructor.name === "AsyncFunction") return "an async function";
    return /^class\b/.test(Function.prototype.toString.call(value)) ? "a class" : "a function";
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}
