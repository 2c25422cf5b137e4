/** Sending: `sendMessage` and the other methods that put one message into a chat. */
import { badRequest } from "../http/answer.ts";
import { readFormattedText } from "../text/formatted-text.ts";
import { isRecord, type ReplyMarkup, readReplyMarkup } from "../text/reply-markup.ts";
import { type MessageContent, textContent } from "../world/account.ts";
import type { FormattedText, InlineKeyboard, Message, User } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { generalTopicId } from "../world/topics.ts";
import {
  type Call,
  type Effect,
  messageIn,
  needRight,
  objectIn,
  roomFor,
  userWith,
} from "./call.ts";
import { withMentions } from "./mentions.ts";

const textLengthMax = 4_096;

/** A message's content, read in Telegram's order, and the checks that come after the chat's. */
export interface Draft {
  readonly content: MessageContent;
  /** Makes the checks that Telegram's data centre makes. */
  check?(): void;
}

export function sendMessage(call: Call): Effect {
  const formatted = requiredText(call);
  return prepareMessage(call, {
    content: { ...textContent(formatted), ...linkPreview(call) },
    check: () => checkLength(formatted),
  });
}

function linkPreview(call: Call): MessageContent {
  const link_preview_options = objectIn(call, "link_preview_options", "link preview options");
  return link_preview_options ? { link_preview_options } : {};
}

/** The text and its entities. Throws Telegram's error when there is no text. */
export function requiredText(call: Call): FormattedText {
  if (call.parameters.text("text") === "") throw badRequest("message text is empty");
  const formatted = readFormattedText(call.parameters, "text", "entities");
  if (formatted.text.trim() === "") throw badRequest("text must be non-empty");
  return formatted;
}

/** Throws when the text is too long, counted in code points after the markup was parsed. */
export function checkLength({ text }: FormattedText): void {
  if (text.length > textLengthMax && [...text].length > textLengthMax) {
    throw badRequest("message is too long");
  }
}

/**
 * Makes the checks that all methods which send one message share.
 *
 * @param usual The inline keyboard of the message when the bot gives none.
 */
export function prepareMessage(call: Call, draft: Draft, usual?: InlineKeyboard): Effect {
  const replyTo = readReplyTarget(call);
  const given = readReplyMarkup(call.parameters);
  const markup = usual && !given.inline ? { ...given, inline: usual } : given;
  const room = roomFor(call, "write");
  const thread = threadContent(call, room);
  const replied = repliedMessage(room, replyTo);
  draft.check?.();
  const receiver = receiverOf(call, room);
  const content = {
    ...(thread ?? threadOf(replied)),
    ...replyContent(replied),
    ...withMentions(call, draft.content),
    ...marks(call),
  };
  const post = () =>
    receiver
      ? call.account.whisper(room, receiver, withKeyboard(content, markup))
      : postWithMarkup(call, room, content, markup);
  return { room, cost: 1, perform: post };
}

/** The fields that any message may have. */
function marks({ parameters }: Call): MessageContent {
  const effect_id = parameters.text("message_effect_id");
  return {
    ...(parameters.boolean("protect_content") ? { has_protected_content: true } : {}),
    ...(effect_id ? { effect_id } : {}),
  };
}

/** The person who alone sees the message, in its newer and its older spelling. */
function receiverOf(call: Call, room: Room): User | undefined {
  const given = objectIn(call, "ephemeral_message_parameters", "ephemeral message parameters");
  const id = Number(given?.["receiver_user_id"] ?? call.parameters.integer("receiver_user_id"));
  if (!id) return undefined;
  const receiver = userWith(call, id);
  if (room.isPrivate) throw badRequest("method is available only for groups and supergroups");
  return receiver;
}

function withKeyboard(content: MessageContent, { inline }: ReplyMarkup): MessageContent {
  return inline ? { ...content, reply_markup: inline } : content;
}

/** Posts the message, and shows its reply keyboard. */
export function postWithMarkup(
  call: Call,
  room: Room,
  content: MessageContent,
  markup: ReplyMarkup,
): Message {
  const { chat } = markup;
  room.draft = undefined;
  if (chat) {
    room.keyboard = chat.kind === "remove" ? undefined : chat;
    call.account.changed({ kind: "chat", ...room.place });
  }
  return call.account.post(room, call.account.me, withKeyboard(content, markup));
}

interface ReplyTarget {
  readonly messageId: number;
  readonly optional: boolean;
}

/** `reply_parameters`, or the older `reply_to_message_id`. */
export function readReplyTarget({ parameters }: Call): ReplyTarget | undefined {
  const value = parameters.json("reply_parameters", "can't parse reply parameters JSON object");
  if (isRecord(value) && value["message_id"] !== undefined) {
    return {
      messageId: Number(value["message_id"]),
      optional: value["allow_sending_without_reply"] === true,
    };
  }
  const messageId = parameters.integer("reply_to_message_id");
  if (messageId === 0) return undefined;
  return { messageId, optional: parameters.boolean("allow_sending_without_reply") };
}

export function repliedMessage(room: Room, target: ReplyTarget | undefined): Message | undefined {
  if (!target) return undefined;
  const message = room.message(target.messageId);
  if (!message && !target.optional) throw badRequest("message to be replied not found");
  return message;
}

/** The `reply_to_message` field; the message in it does not repeat its own. */
export function replyContent(message: Message | undefined): MessageContent {
  if (!message) return {};
  const { reply_to_message, ...quoted } = message;
  return { reply_to_message: quoted };
}

/**
 * The fields of a message in the topic of `message_thread_id`; undefined when none is named.
 *
 * Throws when the topic is not there, or is closed for the bot.
 */
export function threadContent(call: Call, room: Room): MessageContent | undefined {
  const id = call.parameters.integer("message_thread_id");
  if (id === 0 || room.isPrivate) return undefined;
  const topic = room.chat.is_forum ? room.topics.get(id) : undefined;
  if (!topic) throw badRequest("message thread not found");
  if (topic.closed) needRight(call, room, "can_manage_topics", "TOPIC_CLOSED");
  return id === generalTopicId ? {} : { message_thread_id: id, is_topic_message: true };
}

/** An answer stays in the topic of the message it answers. */
function threadOf(message: Message | undefined): MessageContent {
  if (!message?.["is_topic_message"]) return {};
  return { message_thread_id: message.message_thread_id, is_topic_message: true };
}

/** The message without the keys that belong to its chat and position. */
function contentOf(message: Message): MessageContent {
  const { message_id, from, sender_chat, chat, date, edit_date, reply_to_message, ...content } =
    message;
  const { reply_markup, media_group_id, forward_origin, ...kept } = content;
  const { message_thread_id, is_topic_message, business_connection_id, ...rest } = kept;
  return rest;
}

export function copyMessage(call: Call): Effect {
  const source = messageIn(call, roomFor(call, "read", "from_chat_id"), "copy");
  const caption = call.parameters.raw("caption");
  const formatted = readFormattedText(call.parameters, "caption", "caption_entities");
  const captioned =
    caption === undefined || source.text !== undefined
      ? {}
      : { caption: formatted.text, caption_entities: formatted.entities };
  const effect = prepareMessage(call, { content: { ...contentOf(source), ...captioned } });
  return { ...effect, perform: () => ({ message_id: (effect.perform() as Message).message_id }) };
}

export function forwardMessage(call: Call): Effect {
  const room = roomFor(call, "write");
  const thread = threadContent(call, room);
  const source = messageIn(call, roomFor(call, "read", "from_chat_id"), "forward");
  const post = () => call.account.post(room, call.account.me, { ...thread, ...forwarded(source) });
  return { room, cost: 1, perform: post };
}

function forwarded(source: Message): MessageContent {
  const origin = source.from
    ? { type: "user", date: source.date, sender_user: source.from }
    : { type: "channel", date: source.date, chat: source.chat, message_id: source.message_id };
  return { forward_origin: origin, ...contentOf(source) };
}

/** `copyMessages` and `forwardMessages`: messages that cannot be found are skipped. */
function sendMany(contentFor: (message: Message) => MessageContent): (call: Call) => Effect {
  return (call) => {
    const ids = call.parameters.json("message_ids", "can't parse message_ids JSON object");
    if (!Array.isArray(ids) || ids.length === 0) {
      throw badRequest("message identifiers are not specified");
    }
    if (ids.length > 100) throw badRequest("too many message identifiers specified");
    const room = roomFor(call, "write");
    const thread = threadContent(call, room);
    const from = roomFor(call, "read", "from_chat_id");
    const sources = ids.map((id) => from.message(Number(id))).filter((found) => !!found);
    if (sources.length === 0) throw badRequest("messages can't be forwarded");
    const post = (source: Message) =>
      call.account.post(room, call.account.me, { ...thread, ...contentFor(source) });
    return {
      room,
      cost: sources.length,
      perform: () => sources.map((source) => ({ message_id: post(source).message_id })),
    };
  };
}

export const copyMessages = sendMany(contentOf);
export const forwardMessages = sendMany(forwarded);
