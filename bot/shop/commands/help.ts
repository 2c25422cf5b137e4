/** /help: shows what the bot can do. */
import type { Language } from "../catalogue.ts";
import { type CommandOptions, createRoutes, type Routes } from "./routes.ts";
import { commandList } from "./texts.ts";

const lists = { en: listIn("en"), zh: listIn("zh") };

export function helpRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  routes.command("help", ({ ctx, visitor, texts }) =>
    ctx.reply(texts.help(lists[visitor.language])),
  );
  return routes;
}

function listIn(language: Language): string {
  return commandList(language)
    .map(({ command, description }) => `/${command} - ${description}`)
    .join("\n");
}
