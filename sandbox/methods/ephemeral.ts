/**
 * Ephemeral: methods that change and delete messages which only one person sees.
 *
 * Source: Bot API, EphemeralMessageParameters and editEphemeralMessageText.
 */
import { badRequest } from "../http/answer.ts";
import { readFormattedText } from "../text/formatted-text.ts";
import { readReplyMarkup } from "../text/reply-markup.ts";
import { captionContent, type MessageContent, textContent } from "../world/account.ts";
import { type Call, roomFor, userId } from "./call.ts";
import { captionedFields } from "./editing.ts";
import { readInputMedia } from "./media.ts";
import { checkLength, requiredText } from "./sending.ts";

type Content = Readonly<Record<string, unknown>>;

export function editEphemeralMessageText(call: Call): true {
  const formatted = requiredText(call);
  checkLength(formatted);
  return edit(call, ({ text, entities, ...rest }) => {
    if (text === undefined) throw badRequest("there is no text in the message to edit");
    return { ...rest, ...textContent(formatted) };
  });
}

export function editEphemeralMessageCaption(call: Call): true {
  const formatted = readFormattedText(call.parameters, "caption", "caption_entities");
  return edit(call, ({ caption, caption_entities, ...rest }) => {
    if (!captionedFields.some((field) => rest[field] !== undefined)) {
      throw badRequest("there is no caption in the message to edit");
    }
    return { ...rest, ...captionContent(formatted) };
  });
}

export function editEphemeralMessageMedia(call: Call): true {
  const content = readInputMedia(call);
  return edit(call, (message) => {
    const gone = new Set([...captionedFields, "text", "entities", "caption", "caption_entities"]);
    const rest = Object.entries(message).filter(([field]) => !gone.has(field));
    return { ...Object.fromEntries(rest), ...content };
  });
}

export function editEphemeralMessageReplyMarkup(call: Call): true {
  return edit(call, (message) => message);
}

export function deleteEphemeralMessage(call: Call): true {
  call.account.whispers.delete(keyIn(call).key);
  return true;
}

function edit(call: Call, change: (message: Content) => MessageContent): true {
  const { inline } = readReplyMarkup(call.parameters);
  const { key, message } = keyIn(call);
  const { reply_markup, ...content } = change(message);
  const edited = inline ? { ...content, reply_markup: inline } : content;
  call.account.whispers.set(key, edited as unknown as typeof message);
  return true;
}

function keyIn(call: Call) {
  const { account, parameters } = call;
  const receiver = userId(call, "receiver_user_id");
  const room = roomFor(call, "edit");
  const number = parameters.integer("ephemeral_message_id");
  if (number <= 0) throw badRequest("message identifier is not specified");
  const key = `${room.id}:${receiver}:${number}`;
  const message = account.whispers.get(key);
  if (!message) throw badRequest("message to edit not found");
  return { key, message };
}
