/** Reminder: "in 10 min tea" reminds, /list shows what is to come, "cancel 1" takes it away. */
import { type BotContext, defineBot } from "unsinkable-telegram-bot/kit";

const texts = {
  en: {
    help: 'Write "in 10 min tea". /list shows your reminders, "cancel 1" removes one.',
    noted: (n: string, text: string) => `Reminder ${n}: ${text}`,
    due: (text: string) => `It is time: ${text}`,
    list: (lines: readonly string[]) => lines.join("\n") || "No reminders.",
    cancelled: (known: boolean) => (known ? "Cancelled." : "There is no such reminder."),
  },
  zh: {
    help: "请发送“in 10 min 喝茶”。/list 查看提醒，“cancel 1”取消提醒。",
    noted: (n: string, text: string) => `提醒 ${n}：${text}`,
    due: (text: string) => `时间到：${text}`,
    list: (lines: readonly string[]) => lines.join("\n") || "没有提醒。",
    cancelled: (known: boolean) => (known ? "已取消。" : "没有这个提醒。"),
  },
};
const textsFor = ({ from }: BotContext) =>
  texts[from?.language_code?.startsWith("zh") ? "zh" : "en"];
const collectionOf = ({ chat }: BotContext) => `reminders.${chat?.id}`;

export default defineBot({
  name: "reminder",
  setup: (bot, kit) => {
    bot.use(
      kit.later("remind", async (ctx, { n, text }: { n: string; text: string }) => {
        await ctx.transaction(({ documents }) => documents.delete(collectionOf(ctx), n));
        await ctx.reply(textsFor(ctx).due(text));
      }),
    );
    bot.hears(/^in (\d{1,5}) (s|min|h) (.+)/, async (ctx) => {
      const [, count, unit = "", text = ""] = ctx.match;
      const n = await ctx.transaction(async ({ documents }) => {
        const next = ((await documents.get<number>("counters", collectionOf(ctx))) ?? 0) + 1;
        await documents.put("counters", collectionOf(ctx), next);
        await documents.put(collectionOf(ctx), String(next), text);
        return String(next);
      });
      const unitMs = { s: 1_000, min: 60_000, h: 3_600_000 }[unit] ?? 0;
      ctx.later(Number(count) * unitMs, "remind", { n, text }, { key: n });
      await ctx.reply(textsFor(ctx).noted(n, text));
    });
    bot.command("list", async (ctx) => {
      const all = await ctx.transaction((tx) => tx.documents.list<string>(collectionOf(ctx)));
      await ctx.reply(textsFor(ctx).list(all.map(({ key, value }) => `${key}: ${value}`)));
    });
    bot.hears(/^cancel (\d+)$/, async (ctx) => {
      const n = ctx.match[1] ?? "";
      await ctx.cancelLater(n);
      const known = await ctx.transaction((tx) => tx.documents.delete(collectionOf(ctx), n));
      await ctx.reply(textsFor(ctx).cancelled(known));
    });
    bot.on("text", (ctx) => ctx.reply(textsFor(ctx).help));
  },
});
