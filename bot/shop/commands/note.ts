/** /note: sets the note of an order and shows the order. */

import type { BotContext } from "../../kit/bot-context.ts";
import { annotateOrder } from "../orders.ts";
import { displayText } from "./format.ts";
import { orderCard } from "./order-card.ts";
import { type CommandOptions, createRoutes, parseCount, type Routes, wordsIn } from "./routes.ts";

/** Maximum length of a note in characters: enough for a delivery instruction. */
const noteLengthMax = 200;

export function noteRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  routes.privateCommand("note", async (turn) => {
    const { ctx, visitor, texts, format } = turn;
    const wish = parseNote(ctx);
    if (!wish) {
      return ctx.reply(texts.noteUsage(format.count(noteLengthMax)));
    }
    const { note, orderId } = wish;
    const { result } = await turn.account((tx) =>
      annotateOrder(tx, options, visitor.userId, orderId, note),
    );
    if (!result) {
      return ctx.reply(texts.orderNotFound);
    }
    const headline = note === "" ? texts.noteRemoved : texts.noteKept;
    const [text, buttons] = orderCard(turn, options.catalogue, result, 0, headline);
    // A note can look like a link, which should not be previewed.
    return ctx.reply(text, { ...buttons, link_preview_options: { is_disabled: true } });
  });
  return routes;
}

/** Parses the command; `undefined` when it is not understood or the note is too long. */
function parseNote(ctx: BotContext) {
  const said = wordsIn(ctx) ?? "";
  const [, id, words = ""] = /^\/\S+\s+#?(\d{1,15})(?:\s([\s\S]*))?$/.exec(said) ?? [];
  const orderId = parseCount(id);
  const note = displayText(words);
  if (orderId === undefined || [...note].length > noteLengthMax) {
    return undefined;
  }
  return { orderId, note };
}
