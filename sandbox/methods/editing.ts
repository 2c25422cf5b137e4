/** Editing: methods that change and delete existing messages. */
import { badRequest } from "../http/answer.ts";
import { readFormattedText } from "../text/formatted-text.ts";
import { readReplyMarkup } from "../text/reply-markup.ts";
import { captionContent, type MessageContent, textContent } from "../world/account.ts";
import type { InlineKeyboard, Message } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { type Call, type Effect, messageId, messageIn, roomFor } from "./call.ts";
import { readInputMedia } from "./media.ts";
import { checkLength, requiredText } from "./sending.ts";

const deletableMs = 48 * 3_600_000;
const idsMax = 100;
const mediaFields = ["photo", "document", "video", "animation", "audio", "voice"] as const;

export function editMessageText(call: Call): Effect {
  const formatted = requiredText(call);
  return prepareEdit(call, (message) => {
    if (message.text === undefined) throw badRequest("there is no text in the message to edit");
    checkLength(formatted);
    const { text, entities, ...rest } = message;
    return { ...rest, ...textContent(formatted) };
  });
}

export function editMessageCaption(call: Call): Effect {
  const formatted = readFormattedText(call.parameters, "caption", "caption_entities");
  return prepareEdit(call, (message) => {
    if (!mediaFields.some((field) => message[field] !== undefined)) {
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
    for (const field of [...mediaFields, "text", "entities", "caption", "caption_entities"]) {
      delete rest[field];
    }
    return { ...rest, ...content };
  });
}

export function editMessageReplyMarkup(call: Call): Effect {
  return prepareEdit(call, (message) => message);
}

/** @param change Returns the new content; the keyboard is always replaced. */
function prepareEdit(call: Call, change: (message: Message) => MessageContent): Effect {
  const { inline } = readReplyMarkup(call.parameters);
  if (call.parameters.text("inline_message_id") !== "") {
    throw badRequest("MESSAGE_ID_INVALID");
  }
  const room = roomFor(call, "edit");
  messageId(call);
  const message = messageIn(call, room, "edit");
  const ours = message.from?.id === call.account.id || room.chat.type === "channel";
  if (!ours) throw badRequest("message can't be edited");
  const edited = withMarkup(change(message), inline);
  if (sameContent(message, edited)) {
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  }
  return { room, cost: 1, perform: () => replace(call, room, message, edited) };
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
  call.account.changed({ kind: "edited", chatId: room.id, message });
  return message;
}

export function deleteMessage(call: Call): true {
  const room = roomFor(call, "edit");
  const message = messageIn(call, room, "delete");
  checkDeletable(call, message);
  remove(call, room, message.message_id);
  return true;
}

export function deleteMessages(call: Call): true {
  const ids = call.parameters.json("message_ids", "can't parse message_ids JSON object");
  if (!Array.isArray(ids) || ids.length === 0) {
    throw badRequest("message identifiers are not specified");
  }
  if (ids.length > idsMax) throw badRequest("too many message identifiers specified");
  const room = roomFor(call, "edit");
  const messages = ids.map((id) => room.message(Number(id))).filter((found) => !!found);
  for (const message of messages) checkDeletable(call, message);
  for (const message of messages) remove(call, room, message.message_id);
  return true;
}

function checkDeletable(call: Call, message: Message): void {
  const ageMs = call.around.clock.epochMs() - message.date * 1_000;
  if (ageMs >= deletableMs) throw badRequest("message can't be deleted for everyone");
}

function remove(call: Call, room: Room, id: number): void {
  room.remove(id);
  call.account.changed({ kind: "deleted", chatId: room.id, messageId: id });
}
