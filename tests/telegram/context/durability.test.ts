/**
 * Durability of Telegraf handlers: the process is killed before and after every single commit, and
 * after every call to Telegram. Every effect must happen once, and replies must come in order and
 * be repeated only if the process died between the call and its commit.
 */

import { test } from "vitest";
import { createBot } from "../../../bot/index.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";
import { ada, pressed, said } from "../../shop/commands/bot-under-test.ts";
import { shopWith } from "../../shop/shop-setup.ts";
import { type MakeBot, withRoutes } from "../../support/durable-bot.ts";
import { expectSurvival } from "../../support/survival.ts";

test("a handler that replies between, inside and after its steps survives every death", async () => {
  const grant = (reference: string) => ({
    userId: ada.id,
    amountMinor: 7,
    kind: "welcome" as const,
    reference,
    createdAtEpochMs: 0,
  });
  const makeBot = withRoutes((bot) => {
    bot.command("go", async (ctx) => {
      await ctx.reply("before");
      const granted = await ctx.transaction(async (tx) => {
        await shopOf(tx).insertAccount({ userId: ada.id, createdAtEpochMs: 0 });
        await shopOf(tx).appendLedgerEntry(grant(`${Math.random()}`));
        await ctx.reply("inside the first step");
        return { amount: 7 };
      });
      await ctx.reply(`between, with ${granted.amount}`);
      await ctx.transaction(async (tx) => {
        await shopOf(tx).appendLedgerEntry(grant(`${Math.random()}`));
        await ctx.reply("inside the second step");
      });
      await ctx.telegram.editMessageText(ada.id, 5, undefined, "edited");
      await ctx.telegram.deleteMessage(ada.id, 6);
      await ctx.reply("after");
    });
    bot.action("press", async (ctx) => {
      await ctx.answerCbQuery();
      await ctx.editMessageText("pressed");
    });
  });
  await expectSurvival({ makeBot, updates: [said(ada, "/go"), pressed(ada, "press")] });
});

test("the shop's own commands survive every death", { timeout: 120_000 }, async () => {
  const makeBot: MakeBot = (contextType) =>
    createBot({ token: "42:unused", contextType, ...shopWith() });
  const buy = `buy:espresso:900:${(1).toString(36)}.${(2).toString(36)}`;
  const updates = [
    said(ada, "/start"),
    said(ada, "/shop"),
    pressed(ada, "item:latte"),
    pressed(ada, buy),
    pressed(ada, buy),
    pressed(ada, "cancel:1:0"),
    said(ada, "/balance"),
    said(ada, "/orders"),
  ];
  await expectSurvival({ makeBot, updates });
});
