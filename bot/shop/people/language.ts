/** /language: lets a person choose the language of the shop, in the place of what Telegram reports. */
import { button, keyboard } from "../commands/keyboard.ts";
import { type CommandOptions, createRoutes, type Routes } from "../commands/routes.ts";
import { languageOf, languages, texts } from "../commands/texts.ts";
import { chooseLanguage } from "./standing.ts";

const names = { zh: "中文", en: "English" };

export function languageRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);

  routes.privateCommand("language", (turn) =>
    turn.ctx.reply(
      turn.texts.chooseLanguage,
      keyboard(
        languages.map((language) => button(names[language], `language:${language}`)),
        [button(turn.texts.automaticLanguage, "language:auto")],
      ),
    ),
  );

  routes.press("language", async (turn, [answer]) => {
    const { ctx, visitor } = turn;
    const chosen = languages.find((language) => language === answer);
    if (chosen === undefined && answer !== "auto") return turn.texts.staleButton;
    await ctx.transaction((tx) => chooseLanguage(tx, visitor.userId, chosen));
    // A handler that runs again has read the new language before, so the text does not depend on it.
    const now = texts(chosen ?? languageOf(ctx.from?.language_code));
    const done = chosen === undefined ? now.languageAutomatic : now.languageChosen;
    await ctx.editMessageText(done, keyboard());
    return undefined;
  });

  return routes;
}
