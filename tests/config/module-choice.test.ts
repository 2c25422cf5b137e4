/** Module choice: where the file of a bot is named, and from where its path begins. */
import { expect, test } from "vitest";
import { moduleFromArguments, moduleFromSettings } from "../../bot/config/module-choice.ts";

const envFile = (contents: string) => ({ name: ".env", contents, mode: undefined });

test.each([
  ["nothing", {}, undefined, undefined],
  ["a blank", { BOT_MODULE: " " }, undefined, undefined],
  ["a path in the environment", { BOT_MODULE: "./bot.ts" }, undefined, "/home/bot.ts"],
  ["a path in .env", {}, "BOT_MODULE=bots/a.ts", "/home/bots/a.ts"],
  ["both", { BOT_MODULE: "/b.ts" }, "BOT_MODULE=a.ts", "/b.ts"],
  ["a blank over .env", { BOT_MODULE: "" }, "BOT_MODULE=a.ts", "/home/a.ts"],
])("with %s, paths begin at the directory of .env", (_, env, contents, file) => {
  const choice = moduleFromSettings(
    env,
    contents === undefined ? undefined : envFile(contents),
    "/home",
  );
  expect(choice?.file).toBe(file);
});

test.each([
  [[], undefined],
  [["--check", "--bot", "./bot.ts"], "/called/from/bot.ts"],
  [["--bot=../bot.ts", "--help"], "/called/bot.ts"],
  [["--bot"], "/called/from"],
])("the arguments %j name a file from where the program was called", (args, file) => {
  expect(moduleFromArguments(args, "/called/from")?.file).toBe(file);
});
