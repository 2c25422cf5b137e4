/**
 * Bot API types: Telegram's methods and updates as they are today, newer than those of Telegraf.
 *
 * They come from a package that contains types only, so nothing of it is loaded when the bot runs.
 */
import type { ApiMethods, Update } from "@grammyjs/types";
import type { InputFile } from "telegraf/types";

/**
 * The Bot API version that these types describe. Source: the README of grammY, which is released
 * together with them.
 */
export const botApiVersion = "10.3";

type Methods = ApiMethods<InputFile>;

/** A method of the Bot API, such as `sendMessage`. */
export type ApiMethod = keyof Methods;
/** The fields of a method; none for a method that takes none. */
export type ApiFields<Method extends ApiMethod> = Parameters<Methods[Method]>;
/** What Telegram answers. */
export type ApiResult<Method extends ApiMethod> = ReturnType<Methods[Method]>;
/** A kind of update, such as `message_reaction`. Source: Bot API, Update. */
export type UpdateKind = Exclude<keyof Update, "update_id">;

/**
 * The content of an update of this kind; `undefined` when the update is of another kind.
 *
 * For kinds that Telegraf's types do not know: `const boost = updateOf(ctx, "chat_boost")`.
 */
export function updateOf<Kind extends UpdateKind>(
  ctx: { readonly update: object },
  kind: Kind,
): Update[Kind] | undefined {
  return (ctx.update as Partial<Update>)[kind];
}
