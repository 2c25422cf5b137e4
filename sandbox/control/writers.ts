/**
 * Writers: people who send more than text, change or take back what they wrote, and suggest posts.
 *
 * Telegram tells a bot of an edited message, and of one that a person deletes only in business chats.
 */
import type { SandboxControl } from "../control-api.ts";
import { plainText } from "../text/formatted-text.ts";
import { captionContent, textContent } from "../world/account.ts";
import type { Message } from "../world/objects.ts";
import type { Poll } from "../world/poll-rules.ts";
import { hear, kindFor, type PeopleOptions } from "./actors.ts";
import { attachmentContent } from "./attachments.ts";
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

function attach(
  { account: accountFor, actors, around }: PeopleOptions,
  request: Request<"attach">,
) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = actors.enter(account, user, request);
  const place = placeOf(room, request);
  const caption = plainText(String(request.caption ?? "").slice(0, captionLengthMax));
  const content = attachmentContent({ account, around, room }, request.attachment);
  const message = account.post(room, user, { ...place, ...content, ...captionContent(caption) });
  const poll = content["poll"] as Poll | undefined;
  if (poll) account.polls.open(poll, room, message.message_id);
  return { message, updateId: hear(account, room, message) };
}

function edit({ account: accountFor, actors, around }: PeopleOptions, request: Request<"edit">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, { chatId: user.id, ...request });
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
  account.changed({ kind: "edited", ...room.place, message });
  const deaf = room.access === "kicked" || room.access === "not-member";
  const kind = kindFor(room, "edited_");
  return { message, updateId: deaf ? null : account.deliver(kind, message, room.id) };
}

function erase({ account: accountFor, actors }: PeopleOptions, request: Request<"erase">) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, { chatId: user.id, ...request });
  const { from, message_id: messageId } = messageOf(room, request.messageId);
  if (!room.isPrivate && from?.id !== user.id) {
    throw new ControlError(400, "only its author deletes a message of a group");
  }
  room.remove(messageId);
  account.changed({ kind: "deleted", ...room.place, messageId });
  const { business, chat } = room;
  if (!business) return { updateId: null };
  const gone = { business_connection_id: business.connectionId, chat, message_ids: [messageId] };
  return { updateId: account.deliver("deleted_business_messages", gone, room.id) };
}

/** Source: Bot API, SuggestedPostInfo and DirectMessagesTopic. */
function suggestPost(
  { account: accountFor, actors, around }: PeopleOptions,
  request: Request<"suggestPost">,
) {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, request);
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
