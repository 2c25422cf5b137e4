/** /forget: deletes what is stored about a person, after asking once more. */

import { laneOfChat } from "../../telegram/intake/update-message.ts";
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
    // A private chat has the id of its person.
    const lane = laneOfChat(userId);
    const { result } = await turn.account((tx) => forget(tx, userId, lane));
    await ctx.editMessageText(texts.forgotten(format.count(result.notes)));
    const facts = { notes: result.notes, deadLetters: result.deadLetters };
    options.publish({ type: "business.happened", name: "personal_data_deleted", userId, facts });
    return undefined;
  });

  return routes;
}
