/** Load module: files that hold a bot, and all the ways in which they may not. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Telegraf } from "telegraf";
import { expect, onTestFinished, test } from "vitest";
import { ConfigurationError } from "../../../bot/core/errors.ts";
import type { BotContext } from "../../../bot/kit/bot-context.ts";
import { loadModule } from "../../../bot/kit/loading/load-module.ts";
import { bareKit } from "../../support/bare-kit.ts";

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "module-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const load = (text: string, name = "bot.ts") => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return loadModule({ file, source: "BOT_MODULE" });
  };
  return { directory, load };
}

const router = {} as Telegraf<BotContext>;

async function problemsOf(loading: Promise<unknown>) {
  const error = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toMatchObject({ exitCode: 78 });
  return (error as ConfigurationError).problems;
}

test("a file anywhere on the machine imports the kit and Telegraf without an installation", async () => {
  const { load } = setup();
  const module = await load(`
    import { Composer } from "telegraf";
    import { defineBot } from "unsinkable-telegram-bot/kit";
    export default defineBot({ setup: (bot: { use(x: unknown): void }) => bot.use(new Composer()) });
  `);
  expect(module.name).toBe("bot");
  const used: unknown[] = [];
  module.setup({ use: (part: unknown) => used.push(part) } as never, bareKit);
  expect(used).toHaveLength(1);
});

test("plain JavaScript without the kit is a bot too", async () => {
  const { load } = setup();
  const module = await load('export default { name: "plain", setup() {} };', "bot.mjs");
  expect(module.name).toBe("plain");
});

test.each([
  ["does not parse", "export default {", "a file that can be loaded", "SyntaxError"],
  ["has an enum", "enum A { b }", "a file that can be loaded", "enum is not supported"],
  ["throws", '\n\nthrow new Error("no luck");', "a file that can be loaded", "no luck (line 3)"],
  ["throws no error", 'throw "text";', "a file that can be loaded", "a string that was thrown"],
  [
    "imports what is missing",
    'import "nothing-there";',
    "a file that can be loaded",
    "'nothing-there'",
  ],
  ["has no default export", "export const bot = 1;", "a default export", "bot"],
  ["exports nothing", "const bot = 1;", "a default export", "no export at all"],
  [
    "exports a function",
    "export default () => {};",
    "its default export to be a module",
    "a function",
  ],
  ["exports a class", "export default class {}", "its default export to be a module", "a class"],
  ["exports null", "export default null;", "its default export to be a module", "null"],
])("a file that %s is refused", async (_, text, expected, received) => {
  const { load } = setup();
  const [problem, ...more] = await problemsOf(load(text));
  expect(more).toEqual([]);
  expect(problem?.variable).toContain("bot.ts");
  expect(problem?.expected).toBe(expected);
  expect(problem?.received).toContain(received);
  expect(problem?.hint).not.toBe("");
});

test("every wrong field is named at once", async () => {
  const { load } = setup();
  const fields = {
    name: "3",
    setup: "async () => {}",
    settings: '{ title: "x", rows: { a: 1 } }',
    tables: "{}",
    people: "[]",
    commandMenus: "[{}]",
    updates: '["A b"]',
    miniApp: '"page/"',
    lastWords: '"sorry"',
    setUp: "() => {}",
  };
  const text = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  const problems = await problemsOf(load(`export default { ${text.join(", ")} };`));
  const said = problems.map(({ expected, received }) => `${expected}, ${received}`);
  for (const name of Object.keys(fields)) {
    expect(
      said.filter((line) => new RegExp(`\\b${name}\\b`).test(line)).length,
      name,
    ).toBeGreaterThan(0);
  }
  expect(said).toHaveLength(Object.keys(fields).length);
});

test("a file that is missing, and a directory, are refused", async () => {
  const { directory } = setup();
  const load = (name: string) => loadModule({ file: join(directory, name), source: "--bot" });
  mkdirSync(join(directory, "folder"));
  expect(await problemsOf(load("none.ts"))).toMatchObject([{ received: "no such file" }]);
  expect(await problemsOf(load("folder"))).toMatchObject([{ received: "a directory" }]);
});

test.each([
  ["throws", 'setup() {\n throw new TypeError("no luck"); }', "TypeError: no luck (line 2)"],
  ["returns a promise", "setup() { return Promise.reject(new Error()); }", "a promise"],
])("a setup that %s is refused", async (_, setupText, received) => {
  const { load } = setup();
  const module = await load(`export default { name: "x", ${setupText} };`);
  const [problem] = await problemsOf(Promise.resolve().then(() => module.setup(router, bareKit)));
  expect(problem?.received).toBe(received);
});
