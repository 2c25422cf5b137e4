/**
 * Writers: people who send more than text, change or take back what they wrote, and suggest posts.
 *
 * Telegram tells a bot of an edited message, and never of one that a person deletes.
 */
import type { Attachment, SandboxControl } from "../control-api.ts";
import { fileContent, isFileKind } from "../methods/media.ts";
import { plainText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import { captionContent, type MessageContent, textContent } from "../world/account.ts";
import type { FileStore } from "../world/file-store.ts";
import type { Message } from "../world/objects.ts";
import { hear, type PeopleOptions } from "./actors.ts";
import { ControlError, integerIn, textIn } from "./control-error.ts";
import { placeOf } from "./message-place.ts";
import { messageOf, roomOf } from "./places.ts";

type Operations = Pick<SandboxControl, "attach" | "edit" | "erase" | "suggestPost">;
type Request<Name extends keyof Operations> = Parameters<Operations[Name]>[0];

const captionLengthMax = 1_024;
const textLengthMax = 4_096;

export function createWriters(options: PeopleOptions): Operations {
  return {
    attach: (request) => attach(options, request),
    edit: (request) => edit(options, request),
    erase: (request) => erase(options, request),
    suggestPost: (request) => suggestPost(options, request),
  };
}

function attach({ account: accountFor, actors }: PeopleOptions, request: Request<"attach">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = actors.enter(account, user, request.chatId);
  const place = placeOf(room, request);
  const caption = plainText(String(request.caption ?? "").slice(0, captionLengthMax));
  const content = attachmentContent(account.files, request.attachment);
  const message = account.post(room, user, { ...place, ...content, ...captionContent(caption) });
  return { message, updateId: hear(account, room, message) };
}

function attachmentContent(files: FileStore, given: Attachment): MessageContent {
  if (!isRecord(given)) throw new ControlError(400, "attachment must be an object");
  switch (given.kind) {
    case "location":
      return { location: { latitude: degrees(given, 90), longitude: degrees(given, 180) } };
    case "contact": {
      const { userId: user_id } = given;
      const phone_number = textIn(given, "phoneNumber");
      const first_name = textIn(given, "firstName");
      return { contact: { phone_number, first_name, ...(user_id ? { user_id } : {}) } };
    }
    default: {
      if (!isFileKind(given.kind)) throw new ControlError(400, "attachment.kind is not known");
      const content = Buffer.from(textIn(given, "content"), "base64");
      const fileName = typeof given.fileName === "string" ? given.fileName : "";
      return fileContent(files, given.kind, { fileName, content });
    }
  }
}

function degrees(given: Readonly<Record<string, unknown>>, most: 90 | 180): number {
  const name = most === 90 ? "latitude" : "longitude";
  const value = given[name];
  if (typeof value === "number" && Math.abs(value) <= most) return value;
  throw new ControlError(400, `${name} must be a number from -${most} to ${most}`);
}

function edit({ account: accountFor, actors, around }: PeopleOptions, request: Request<"edit">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, request.chatId ?? user.id);
  const before = messageOf(room, request.messageId);
  if (before.from?.id !== user.id) throw new ControlError(400, "only its author edits a message");
  const isText = before.text !== undefined;
  const most = isText ? textLengthMax : captionLengthMax;
  const formatted = plainText(textIn({ ...request }, "text").slice(0, most));
  if (formatted.text.trim() === "") throw new ControlError(400, "text must not be blank");
  const { text, entities, caption, caption_entities, ...rest } = before;
  const message: Message = {
    ...rest,
    edit_date: around.clock.epochS(),
    ...(isText ? textContent(formatted) : captionContent(formatted)),
  };
  room.put(message);
  account.changed({ kind: "edited", chatId: room.id, message });
  const deaf = room.access === "kicked" || room.access === "not-member";
  const kind = room.chat.type === "channel" ? "edited_channel_post" : "edited_message";
  return { message, updateId: deaf ? null : account.deliver(kind, message, room.id) };
}

function erase({ account: accountFor, actors }: PeopleOptions, request: Request<"erase">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, request.chatId ?? user.id);
  const { from, message_id: messageId } = messageOf(room, request.messageId);
  if (!room.isPrivate && from?.id !== user.id) {
    throw new ControlError(400, "only its author deletes a message of a group");
  }
  room.remove(messageId);
  account.changed({ kind: "deleted", chatId: room.id, messageId });
  return { updateId: null };
}

/** Source: Bot API, SuggestedPostInfo and DirectMessagesTopic. */
function suggestPost(
  { account: accountFor, actors, around }: PeopleOptions,
  request: Request<"suggestPost">,
) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, request.chatId);
  if (!room.chat.is_direct_messages) {
    throw new ControlError(400, "posts are suggested in a channel's direct messages");
  }
  const { stars } = request;
  if (stars !== undefined) integerIn({ stars }, "stars", 1);
  room.memberIds.add(user.id);
  const message = account.post(room, user, {
    direct_messages_topic: { topic_id: user.id, user },
    ...textContent(plainText(textIn({ ...request }, "text").slice(0, textLengthMax))),
    suggested_post_info: {
      state: "pending",
      ...(stars === undefined ? {} : { price: { currency: "XTR", amount: stars } }),
      send_date: around.clock.epochS() + 86_400,
    },
  });
  return { message, updateId: hear(account, room, message) };
}
