/** Queries: methods that answer button presses and inline queries, which expire. */
import { badRequest } from "../http/answer.ts";
import type { Call } from "./call.ts";

export function answerCallbackQuery(call: Call): true {
  const { account, parameters } = call;
  const query = account.queries.answer(parameters.text("callback_query_id"), "callback_query");
  account.changed({
    kind: "callback-answer",
    chatId: query.chatId ?? query.userId,
    userId: query.userId,
    text: parameters.text("text"),
    showAlert: parameters.boolean("show_alert"),
    ...(parameters.text("url") ? { url: parameters.text("url") } : {}),
  });
  return true;
}

export function answerInlineQuery({ account, parameters }: Call): true {
  const results = parameters.json("results", "can't parse inline query results JSON object");
  if (!Array.isArray(results)) throw badRequest("expected an Array of inline query results");
  account.queries.answer(parameters.text("inline_query_id"), "inline_query");
  return true;
}
