/**
 * Work command: handles `/work KEY PLAN` before the shop's own commands, for the simulation only.
 *
 * It is ordinary handler code with durable steps, replies inside and after them, and failures between
 * them. Every run of a step writes another ledger entry, so that a second run is noticed.
 */
import type { BotContext } from "../../bot/kit/bot-context.ts";
import type { BotModule } from "../../bot/kit/module.ts";
import { shop } from "../../bot/shop/module.ts";
import type { ShopSettings } from "../../bot/shop/settings.ts";
import { shopOf } from "../../bot/shop/sqlite-tables.ts";
import { owedForWork, type WorkPlan } from "./workload.ts";

export interface WorkWorld {
  /** Records a beginning. @returns how often this work was begun before. */
  readonly begin: (key: string) => number;
  readonly killProcess: () => void;
  readonly random: () => number;
  /** A number that was never returned before. */
  readonly nextNumber: () => number;
}

/** Ledger entries of `/work` belong to users of their own, so that the shop's balances stay theirs. */
export const workUsersFrom = 1_000_000_000;

/** The shop with `/work`. */
export function workingShop(world: WorkWorld): BotModule<ShopSettings> {
  return {
    ...shop,
    commandMenus: [],
    setup: (bot, kit) => {
      bot.command("work", async (ctx) => {
        const [key = "", plan = "plain"] = ctx.payload.split(" ");
        await work(ctx, world, key, plan as WorkPlan);
      });
      shop.setup(bot, kit);
    },
  };
}

async function work(ctx: BotContext, world: WorkWorld, key: string, plan: WorkPlan): Promise<void> {
  const begunBefore = world.begin(key);
  const firstTime = begunBefore === 0;
  const early = world.random() < 0.5;
  const fail = (atThisPoint: boolean) => {
    if (plan === "throws" || (plan === "fails-once" && firstTime && atThisPoint)) {
      throw new Error("the work failed");
    }
  };
  if (plan === "kills") world.killProcess();
  fail(early);
  if (plan === "hangs-once" && firstTime && early) await new Promise(() => {});
  const userId = workUsersFrom + Math.abs(ctx.chat?.id ?? 0);
  const { effects, replies } = owedForWork(key, plan);
  for (const [index, effect] of effects.entries()) {
    await ctx.transaction(async (tx) => {
      const tables = shopOf(tx);
      const { nowEpochMs } = tx;
      await tables.insertAccount({ userId, createdAtEpochMs: nowEpochMs });
      await tables.appendLedgerEntry({
        userId,
        amountMinor: 1,
        kind: "welcome",
        reference: `${effect}#${world.nextNumber()}`,
        createdAtEpochMs: nowEpochMs,
      });
      await ctx.reply(replies[index] as string);
    });
  }
  fail(true);
  if (plan === "hangs-once" && firstTime) await new Promise(() => {});
  await ctx.reply(replies.at(-1) as string);
}
