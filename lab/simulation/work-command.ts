/**
 * Work command: handles `/work KEY PLAN` before the shop's own commands, for the simulation only.
 *
 * It is ordinary handler code with durable steps, replies inside and after them, and failures between
 * them. Every run of a step writes another ledger entry, so that a second run is noticed.
 */
import type { BotContext } from "../../bot/kit/bot-context.ts";
import type { BotModule } from "../../bot/kit/module.ts";
import type { MissedPolicy } from "../../bot/kit/schedule-rules.ts";
import { shop } from "../../bot/shop/module.ts";
import type { ShopSettings } from "../../bot/shop/settings.ts";
import { shopOf } from "../../bot/shop/sqlite-tables.ts";
import { entryOfLater, entryOfTick, scheduleName, taskUser, tickEveryMs } from "./missed-tasks.ts";
import { owedForWork, type WorkPlan } from "./workload.ts";

export interface WorkWorld {
  /** Records a beginning. @returns how often this work was begun before. */
  readonly begin: (key: string) => number;
  readonly killProcess: () => void;
  readonly random: () => number;
  /** A number that was never returned before. */
  readonly nextNumber: () => number;
  /** The policy of the schedule. */
  readonly missed: MissedPolicy;
}

/** Ledger entries of `/work` belong to users of their own, so that the shop's balances stay theirs. */
export const workUsersFrom = 1_000_000_000;

/** Milliseconds after which a later handler runs, at most. */
const laterMsMax = 10_000;

/** The shop with `/work`, the later handlers that it asks for, and a schedule. */
export function workingShop(world: WorkWorld): BotModule<ShopSettings> {
  return {
    ...shop,
    commandMenus: [],
    setup: (bot, kit) => {
      const { missed, random } = world;
      kit.schedule(scheduleName, { every: tickEveryMs, missed }, (ctx) =>
        enter(ctx, world, taskUser, entryOfTick(ctx.dueAtEpochMs, ctx.missedFromEpochMs)),
      );
      bot.use(
        kit.later(laterName, async (ctx: BotContext, { key }: { readonly key: string }) => {
          const entry = entryOfLater(key);
          const failsBefore = random() < 0.5;
          const fail = () => {
            throw new Error("the later work failed");
          };
          const fails = world.begin(entry) === 0 && random() < 0.3;
          if (fails && failsBefore) fail();
          await enter(ctx, world, taskUser, entry);
          if (fails) fail();
        }),
      );
      bot.command("work", async (ctx) => {
        const [key = "", plan = "plain"] = ctx.payload.split(" ");
        await work(ctx, world, key, plan as WorkPlan);
      });
      shop.setup(bot, kit);
    },
  };
}

const laterName = "work";

/** Writes an entry of this name in a durable step. @param more The rest of that step. */
async function enter(
  ctx: Pick<BotContext, "transaction">,
  world: WorkWorld,
  userId: number,
  name: string,
  more: () => unknown = () => {},
): Promise<void> {
  await ctx.transaction(async (tx) => {
    const tables = shopOf(tx);
    const { nowEpochMs } = tx;
    await tables.insertAccount({ userId, createdAtEpochMs: nowEpochMs });
    await tables.appendLedgerEntry({
      userId,
      amountMinor: 1,
      kind: "welcome",
      reference: `${name}#${world.nextNumber()}`,
      createdAtEpochMs: nowEpochMs,
    });
    await more();
  });
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
    await enter(ctx, world, userId, effect, () => ctx.reply(replies[index] as string));
  }
  if (plan === "later") ctx.later(1 + world.random() * laterMsMax, laterName, { key });
  fail(true);
  if (plan === "hangs-once" && firstTime) await new Promise(() => {});
  await ctx.reply(replies.at(-1) as string);
}
