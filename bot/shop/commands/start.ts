/** /start: opens the account, keeps the profile and greets. */
import { statement } from "../accounts.ts";
import { keepProfile } from "../personal-data.ts";
import { keyboard } from "./keyboard.ts";
import { type CommandOptions, createRoutes, type Routes, replyWithPrivateChat } from "./routes.ts";

export function startRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  routes.command("start", async (turn) => {
    const { ctx, visitor, texts, format } = turn;
    const { userId } = visitor;
    const { opened, result } = await turn.account(async (tx) => {
      // This also applies after /forget: /start stores the person's profile again.
      const { firstName } = await keepProfile(tx, userId, visitor.profile);
      return { ...(await statement(tx, userId, 0)), firstName };
    });
    const name = result.firstName || texts.someone;
    if (!visitor.inPrivateChat) {
      // The group gets neither the balance nor a Mini App button, which Telegram refuses in groups.
      return replyWithPrivateChat(turn, texts.greetingInGroup(name));
    }
    const greet = opened ? texts.greeting : texts.greetingAgain;
    const greeting = `${greet(name, format.money(result.balanceMinor))}\n\n${texts.begin}`;
    const { url } = options.miniApp;
    const app = url !== undefined && { text: texts.openMiniApp, web_app: { url } };
    // A name can look like a link, which should not be previewed.
    const extra = { link_preview_options: { is_disabled: true } };
    return ctx.reply(greeting, { ...keyboard([app]), ...extra });
  });
  return routes;
}
