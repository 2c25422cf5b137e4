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
/** Telegram's answer. */
export type ApiResult<Method extends ApiMethod> = ReturnType<Methods[Method]>;
/** A kind of update, such as `message_reaction`. Source: Bot API, Update. */
export type UpdateKind = Exclude<keyof Update, "update_id">;

// It does not compile when the types know a kind that is missing here.
const kinds: Readonly<Record<UpdateKind, true>> = {
  message: true,
  edited_message: true,
  channel_post: true,
  edited_channel_post: true,
  business_connection: true,
  business_message: true,
  edited_business_message: true,
  deleted_business_messages: true,
  guest_message: true,
  stopped_message_generation: true,
  message_reaction: true,
  message_reaction_count: true,
  inline_query: true,
  chosen_inline_result: true,
  callback_query: true,
  shipping_query: true,
  pre_checkout_query: true,
  purchased_paid_media: true,
  poll: true,
  poll_answer: true,
  my_chat_member: true,
  chat_member: true,
  chat_join_request: true,
  chat_boost: true,
  removed_chat_boost: true,
  managed_bot: true,
  subscription: true,
};

/** Every kind of update. */
export const updateKinds = Object.keys(kinds) as readonly UpdateKind[];

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
