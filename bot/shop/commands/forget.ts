/** /forget: deletes a person's data after a confirmation. */
import { forget } from "../personal-data.ts";
import { button, keyboard } from "./keyboard.ts";
import { type CommandOptions, createRoutes, type Routes } from "./routes.ts";

export function forgetRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);

  routes.privateCommand("forget", ({ ctx, texts }) =>
    ctx.reply(
      texts.askToForget,
      keyboard([button(texts.forgetButton, "forget:yes")], [button(texts.keepButton, "forget:no")]),
    ),
  );

  routes.press("forget", async (turn, [answer]) => {
    const { ctx, visitor, texts, format } = turn;
    if (answer !== "yes") {
      await ctx.editMessageText(texts.notForgotten);
      return undefined;
    }
    const { userId } = visitor;
    const { result } = await turn.account((tx) => forget(tx, userId));
    await ctx.editMessageText(texts.forgotten(format.count(result.notes)));
    const facts = { notes: result.notes, deadLetters: result.deadLetters };
    options.publish({ type: "business.recorded", name: "personal_data_deleted", userId, facts });
    return undefined;
  });

  return routes;
}
