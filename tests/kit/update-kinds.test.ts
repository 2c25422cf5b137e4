/** Update kinds: what Telegram is asked for when a bot's handlers ask for it. */
import { Context } from "telegraf";
import { expect, test } from "vitest";
import { createBot } from "../../bot/index.ts";
import type { BotModule } from "../../bot/kit/module.ts";
import { allowedUpdatesWith } from "../../bot/telegram/intake/update-message.ts";
import { bareKit } from "../support/bare-kit.ts";

function kindsOf(setup: BotModule["setup"]): readonly string[] {
  const kinds: string[] = [];
  createBot({
    token: "42:unused",
    contextType: Context as never,
    module: { name: "x", setup },
    kit: bareKit,
    onUpdateKind: (kind) => kinds.push(kind),
  });
  return kinds;
}

test("a kind that bot.on or bot.reaction names is asked for", () => {
  const kinds = kindsOf((bot) => {
    bot.on("chat_member", () => {});
    bot.on(["poll", "text"], () => {});
    bot.on("managed_bot" as "message", () => {});
    bot.reaction("👍", () => {});
  });
  expect(kinds).toEqual(["chat_member", "poll", "managed_bot", "message_reaction"]);
});

test("what is asked for comes to the usual kinds, once", () => {
  const usual = allowedUpdatesWith([]);
  expect(allowedUpdatesWith(["message", "chat_member", "chat_member"])).toEqual([
    ...usual,
    "chat_member",
  ]);
});
