/** /help: shows what the bot can do. */
import { type CommandOptions, createRoutes, type Routes } from "./routes.ts";
import { commandList } from "./texts.ts";

export function helpRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  routes.command("help", ({ ctx, visitor, texts }) => {
    const lines = commandList(visitor.language).map((c) => `/${c.command} - ${c.description}`);
    return ctx.reply(texts.help(lines.join("\n")));
  });
  return routes;
}
