/** Editing: methods that change and delete existing messages. */
import { badRequest } from "../http/answer.ts";
import { readFormattedText } from "../text/formatted-text.ts";
import { readReplyMarkup } from "../text/reply-markup.ts";
import { captionContent, type MessageContent, textContent } from "../world/account.ts";
import type { InlineKeyboard, Message } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { type Call, type Effect, messageId, messageIn, needRight, roomFor } from "./call.ts";
import { readRich } from "./drafts.ts";
import { readInputMedia } from "./media.ts";
import { withMentions } from "./mentions.ts";
import { checkLength, requiredText } from "./sending.ts";
import { readLocation } from "./simple-content.ts";

const deletableMs = 48 * 3_600_000;
const idsMax = 100;
/** The fields of messages that can have a caption. */
export const captionedFields: readonly string[] = [
  "photo",
  "document",
  "video",
  "animation",
  "audio",
  "voice",
  "live_photo",
  "paid_media",
];

export function editMessageText(call: Call): Effect {
  if (call.parameters.text("rich_message") !== "") return editRichMessage(call);
  const formatted = requiredText(call);
  return prepareEdit(call, (message) => {
    if (message.text === undefined) throw badRequest("there is no text in the message to edit");
    checkLength(formatted);
    const { text, entities, ...rest } = message;
    return { ...rest, ...textContent(formatted) };
  });
}

function editRichMessage(call: Call): Effect {
  const { content } = readRich(call);
  return prepareEdit(call, ({ text, entities, ...rest }) => {
    if (text === undefined && rest["rich_message"] === undefined) {
      throw badRequest("there is no text in the message to edit");
    }
    return { ...rest, ...content };
  });
}

export function editMessageCaption(call: Call): Effect {
  const formatted = readFormattedText(call.parameters, "caption", "caption_entities");
  return prepareEdit(call, (message) => {
    if (!captionedFields.some((field) => message[field] !== undefined)) {
      throw badRequest("there is no caption in the message to edit");
    }
    const { caption, caption_entities, ...rest } = message;
    return { ...rest, ...captionContent(formatted) };
  });
}

export function editMessageMedia(call: Call): Effect {
  const content = readInputMedia(call);
  return prepareEdit(call, (message) => {
    const rest: Record<string, unknown> = { ...message };
    for (const field of [...captionedFields, "text", "entities", "caption", "caption_entities"]) {
      delete rest[field];
    }
    return { ...rest, ...content };
  });
}

export function editMessageReplyMarkup(call: Call): Effect {
  return prepareEdit(call, (message) => message);
}

export function editMessageLiveLocation(call: Call): Effect {
  const location = readLocation(call);
  return prepareEdit(call, (message) => {
    const live = liveLocation(call, message);
    return { ...message, location: { ...live, ...location } };
  });
}

/** The place stays, but is not live any more. */
export function stopMessageLiveLocation(call: Call): Effect {
  return prepareEdit(call, (message) => {
    const { latitude, longitude, horizontal_accuracy } = liveLocation(call, message);
    const accuracy = horizontal_accuracy === undefined ? {} : { horizontal_accuracy };
    return { ...message, location: { latitude, longitude, ...accuracy } };
  });
}

/** Throws when the message has no place that is live now. */
function liveLocation(call: Call, message: Message): Readonly<Record<string, number>> {
  const location = message["location"] as Readonly<Record<string, number>> | undefined;
  const periodS = location?.["live_period"] ?? 0;
  const live = message.date + periodS > call.around.clock.epochS();
  if (!location || !live) throw badRequest("message can't be edited");
  return location;
}

interface EditTraits {
  /** As in "message to edit not found". */
  readonly what?: string;
  /** The keyboard stays, because the method does not take one. */
  readonly keepsMarkup?: boolean;
  /** An edit that changes nothing is no mistake. */
  readonly mayRepeat?: boolean;
}

/**
 * Makes the checks that all edits share.
 *
 * @param change Returns the new content; the keyboard is replaced.
 */
export function prepareEdit(
  call: Call,
  change: (message: Message) => MessageContent,
  { what = "message to edit", keepsMarkup, mayRepeat }: EditTraits = {},
): Effect {
  const { inline } = readReplyMarkup(call.parameters);
  const { room, message, byInlineId } = editTarget(call, what);
  const changed = withMentions(call, change(message));
  const edited = keepsMarkup ? changed : withMarkup(changed, inline);
  if (!mayRepeat && sameContent(message, edited)) {
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  }
  const perform = () => {
    const fresh = replace(call, room, message, edited);
    // Of a message that was chosen in inline mode the bot sees no more than that it was changed.
    return byInlineId ? true : fresh;
  };
  return { room, cost: 1, perform };
}

interface EditTarget {
  readonly room: Room;
  readonly message: Message;
  readonly byInlineId: boolean;
}

/** The message by chat and number, or by its inline id. */
function editTarget(call: Call, what: string): EditTarget {
  const { account, parameters } = call;
  if (parameters.text("chat_id") === "" && parameters.integer("message_id") === 0) {
    const id = parameters.text("inline_message_id");
    if (id === "") throw badRequest("message identifier is not specified");
    const place = account.inline.place(id);
    const room = place && account.rooms.get(place.chatId);
    const message = place && room?.message(place.messageId);
    if (!room || !message) throw badRequest("MESSAGE_ID_INVALID");
    return { room, message, byInlineId: true };
  }
  const room = roomFor(call, "edit");
  const message = messageIn(call, room, "edit", what);
  const author = room.business?.user.id ?? account.id;
  const ours = message.from?.id === author || room.chat.type === "channel";
  if (!ours || message["via_bot"]) throw badRequest("message can't be edited");
  return { room, message, byInlineId: false };
}

function withMarkup(content: MessageContent, inline: InlineKeyboard | undefined): MessageContent {
  const { reply_markup, ...rest } = content;
  return inline ? { ...rest, reply_markup: inline } : rest;
}

function sameContent(before: Message, after: MessageContent): boolean {
  const { edit_date, ...old } = before;
  const { edit_date: _, ...fresh } = after;
  return JSON.stringify(sortedKeys(old)) === JSON.stringify(sortedKeys(fresh));
}

function sortedKeys(value: Readonly<Record<string, unknown>>): readonly (readonly unknown[])[] {
  return Object.keys(value)
    .sort()
    .map((key) => [key, value[key]]);
}

function replace(call: Call, room: Room, before: Message, content: MessageContent): Message {
  const { message_id, from, sender_chat, chat, date, edit_date, ...rest } = content;
  const head = { message_id: before.message_id, chat: before.chat, date: before.date };
  const author = before.sender_chat ? { sender_chat: before.sender_chat } : {};
  const message = {
    ...head,
    ...(before.from ? { from: before.from } : {}),
    ...author,
    edit_date: call.around.clock.epochS(),
    ...rest,
  } as Message;
  room.put(message);
  call.account.changed({ kind: "edited", ...room.place, message });
  return message;
}

export function deleteMessage(call: Call): true {
  const { parameters } = call;
  if (parameters.text("chat_id") === "") throw badRequest("chat identifier is not specified");
  messageId(call);
  const room = roomFor(call, "edit");
  const message = messageIn(call, room, "delete");
  checkDeletable(call, room, message);
  remove(call, room, message.message_id);
  return true;
}

/** The numbers in `message_ids`. Throws Telegram's errors. */
export function readMessageIds(call: Call): readonly number[] {
  const ids = call.parameters.json("message_ids", "can't parse message_ids JSON object");
  if (!Array.isArray(ids) || ids.length === 0) {
    throw badRequest("message identifiers are not specified");
  }
  if (ids.length > idsMax) throw badRequest("too many message identifiers specified");
  return ids.map(Number);
}

export function deleteMessages(call: Call): true {
  const ids = readMessageIds(call);
  const room = roomFor(call, "edit");
  const messages = ids.map((id) => room.message(id)).filter((found) => !!found);
  for (const message of messages) checkDeletable(call, room, message);
  for (const message of messages) remove(call, room, message.message_id);
  return true;
}

function checkDeletable(call: Call, room: Room, message: Message): void {
  if (message.from?.id !== call.account.id) {
    needRight(call, room, "can_delete_messages", "message can't be deleted");
  }
  const ageMs = call.around.clock.epochMs() - message.date * 1_000;
  if (ageMs >= deletableMs) throw badRequest("message can't be deleted for everyone");
}

/** Removes a message, and shows that it is gone. */
export function remove(call: Call, room: Room, id: number): void {
  room.remove(id);
  call.account.changed({ kind: "deleted", ...room.place, messageId: id });
}
