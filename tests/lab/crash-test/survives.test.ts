/** Crash test: bots that forget or repeat something fail it, and the failure says where and how. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  deathFromText,
  deathToText,
  type Script,
  survives,
} from "../../../lab/crash-test/survives.ts";

/** Writes a bot whose handler of "add N" is this text. */
function botWith(handler: string, before = ""): string {
  const directory = mkdtempSync(join(tmpdir(), "crash-test-bot-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "bot.ts");
  writeFileSync(
    file,
    `import { appendFileSync, existsSync, readFileSync } from "node:fs";
     import { defineBot } from "unsinkable-telegram-bot/kit";
     const book = ${JSON.stringify(join(directory, "book"))};
     ${before}
     export default defineBot({ setup: (bot) => {
       bot.hears(/^add (\\d+)$/, async (ctx) => { const amount = Number(ctx.match[1]); ${handler} });
     } });`,
  );
  return file;
}

const script: Script = [{ say: "add 3" }, { say: "add 4" }];

async function failureOf(testing: Promise<unknown>): Promise<string> {
  const outcome = await testing.then(
    () => "survived",
    (error: Error) => error.message,
  );
  return outcome;
}

test("a total in a variable is lost, and the failure shows both conversations", async () => {
  const bot = botWith(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the bot's text
    "total += amount; await ctx.reply(`Total: ${total}`);",
    "let total = 0;",
  );
  const failure = await failureOf(survives(bot, script));
  expect(failure).toMatch(/does not survive a death at commit \d+, which .* the disk/);
  expect(failure).toContain('during step 1, "add 3" from 7');
  expect(failure).toContain('2. sendMessage "Total: 7"');
  expect(failure).toContain('2. sendMessage "Total: 4"');
  const [, death = ""] = /--death (\S+)/.exec(failure) ?? [];
  const only = deathFromText(death);
  expect(only).toBeDefined();
  expect(await failureOf(survives(bot, script, { only: only! }))).toBe(failure);
}, 120_000);

test("what is written to a file outside the transaction is written again", async () => {
  const bot = botWith(
    `appendFileSync(book, ctx.update.update_id + " " + amount + "\\n");
     await ctx.transaction(async () => amount);
     const lines = readFileSync(book, "utf8").split("\\n").filter((line) => line.startsWith(String(ctx.update.update_id)));
     await ctx.reply(lines.length + " written");`,
    'if (existsSync(book) && readFileSync(book, "utf8").split("\\n").length > 2) (await import("node:fs")).rmSync(book);',
  );
  const failure = await failureOf(survives(bot, script));
  expect(failure).toContain("does not survive a death");
  expect(failure).toContain("2 written");
}, 120_000);

test("what ctx.now sends is sent again by the handler that runs again", async () => {
  const bot = botWith(
    'await ctx.now.sendMessage(ctx.chat.id, "now"); await ctx.transaction(async () => amount); await ctx.reply("done");',
  );
  const failure = await failureOf(survives(bot, script));
  expect(failure).toContain('sendMessage "now"');
}, 120_000);

test.each([
  ["throws", 'throw new Error("no luck");', "fails without any death.*no luck"],
  ["answers otherwise each time", 'if (count % 2) await ctx.reply("more");', "different each time"],
])(
  "a bot that %s is refused before any death",
  async (_, handler, said) => {
    const bot = botWith(handler, "globalThis.calls ??= 0; const count = globalThis.calls++;");
    expect(await failureOf(survives(bot, script))).toMatch(new RegExp(said, "s"));
  },
  60_000,
);

test("a script with mistakes is refused with each of them", async () => {
  const wrong = [{ say: "" }, { sya: "x" }, { from: "me", say: "x" }, { press: "a", say: "b" }, 3];
  const failure = await failureOf(survives(botWith(""), wrong as never));
  for (const step of [1, 2, 3, 4, 5]) expect(failure).toContain(`step ${step}:`);
});

test("a button that is not there is named with its step", async () => {
  const failure = await failureOf(
    survives(botWith('await ctx.reply("x");'), [{ say: "add 1" }, { press: "Buy" }]),
  );
  expect(failure).toContain('step 2, the button "Buy" from 7: there is no such button');
});

test.each(["call:3", "commit:12:kept", "commit:1:lost"])(
  "the death %s is read as it is written",
  (text) => {
    expect(deathToText(deathFromText(text)!)).toBe(text);
  },
);

test.each(["", "call", "call:x", "call:1:kept", "commit:1"])("%j is no death", (text) => {
  expect(deathFromText(text)).toBeUndefined();
});

test("an update of a kind that Telegraf does not know reaches the bot, and survives", async () => {
  const directory = mkdtempSync(join(tmpdir(), "crash-test-bot-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "bot.ts");
  writeFileSync(
    file,
    `import { defineBot, updateOf } from "unsinkable-telegram-bot/kit";
     export default defineBot({ updates: ["managed_bot"], setup: (bot) => {
       bot.use(async (ctx) => {
         const managed = updateOf(ctx, "managed_bot");
         if (managed) await ctx.call("sendMessage", { chat_id: managed.user.id, text: "managed" });
       });
     } });`,
  );
  const user = { id: 7, is_bot: false, first_name: "Ada" };
  const { calls } = await survives(file, [
    { say: "hello" },
    { update: { managed_bot: { user, bot: { ...user, is_bot: true } } } },
  ]);
  expect(calls).toBe(1);
}, 60_000);
