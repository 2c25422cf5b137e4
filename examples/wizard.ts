/** Wizard: takes an order in three questions, and remembers where it was, whatever happens. */
import { Composer, type MiddlewareFn, Scenes } from "telegraf";
import { type BotContext, defineBot } from "unsinkable-telegram-bot/kit";

interface OrderContext extends BotContext {
  session: Scenes.WizardSession;
  scene: Scenes.SceneContextScene<OrderContext, Scenes.WizardSessionData>;
  wizard: Scenes.WizardContextWizard<OrderContext>;
}

const texts = {
  en: {
    name: "Your name?",
    drink: (name: string) => `Tea or coffee, ${name}?`,
    done: (drink: string, name: string, n: number) => `Order ${n}: ${drink} for ${name}.`,
  },
  zh: {
    name: "怎么称呼您？",
    drink: (name: string) => `${name}，要茶还是咖啡？`,
    done: (drink: string, name: string, n: number) => `订单 ${n}：${name}，${drink}。`,
  },
};
const textsFor = ({ from }: BotContext) =>
  texts[from?.language_code?.startsWith("zh") ? "zh" : "en"];

const order = new Scenes.WizardScene<OrderContext>(
  "order",
  async (ctx) => {
    await ctx.reply(textsFor(ctx).name);
    ctx.wizard.next();
  },
  async (ctx) => {
    const name = ctx.text ?? "?";
    Object.assign(ctx.wizard.state, { name });
    await ctx.reply(textsFor(ctx).drink(name));
    ctx.wizard.next();
  },
  async (ctx) => {
    const { name } = ctx.wizard.state as { name: string };
    const drink = ctx.text ?? "";
    if (!/^(tea|coffee|茶|咖啡)$/i.test(drink)) return ctx.reply(textsFor(ctx).drink(name));
    const number = await ctx.transaction(async ({ documents }) => {
      const next = ((await documents.get<number>("counters", "orders")) ?? 0) + 1;
      await documents.put("counters", "orders", next);
      return next;
    });
    await ctx.reply(textsFor(ctx).done(drink, name, number));
    return ctx.scene.leave();
  },
);
const own = new Composer<OrderContext>(new Scenes.Stage<OrderContext>([order]).middleware());
own.command("order", (ctx) => ctx.scene.enter("order"));

export default defineBot({
  name: "wizard",
  setup: (bot, kit) => {
    bot.use(kit.session(), own.middleware() as MiddlewareFn<BotContext>);
  },
});
