/**
 * Users: methods about people: their photos, status, boosts, verification and passport.
 *
 * Source: Bot API; error texts of tdlib/telegram-bot-api, Client.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import type { Chat } from "../world/objects.ts";
import { profilePhotos } from "./business.ts";
import { arrayIn, type Call, knownUser, roomFor, userId, userWith } from "./call.ts";

const descriptionLengthMax = 70;
/** Source: Bot API, getUserPersonalChatMessages. */
const personalMessagesMax = 20;

export function getUserProfilePhotos(call: Call): unknown {
  const { id } = knownUser(call);
  const photos = profilePhotos(call.account, id);
  return { total_count: photos.length, photos: page(call, photos) };
}

/** No one in the sandbox has music on their profile. */
export function getUserProfileAudios(call: Call): unknown {
  knownUser(call);
  return { total_count: 0, audios: [] };
}

function page<Item>({ parameters }: Call, items: readonly Item[]): readonly Item[] {
  const offset = Math.max(0, parameters.integer("offset"));
  return items.slice(offset, offset + parameters.integerWithin("limit", 1, 100, 100));
}

/** The person must have allowed it, which every person of the sandbox has who talks to the bot. */
export function setUserEmojiStatus(call: Call): true {
  const { account, parameters } = call;
  const { id } = knownUser(call);
  if (!account.rooms.has(id)) throw badRequest("USER_PERMISSION_DENIED");
  const emoji_status_custom_emoji_id = parameters.text("emoji_status_custom_emoji_id");
  const until = parameters.integer("emoji_status_expiration_date");
  const expires = until > 0 ? { emoji_status_expiration_date: until } : {};
  const status = emoji_status_custom_emoji_id ? { emoji_status_custom_emoji_id, ...expires } : {};
  account.settings.set(`emoji-status:${id}`, status);
  return true;
}

/** The latest messages of the channel on a person's profile, the oldest first. */
export function getUserPersonalChatMessages(call: Call): unknown {
  const { account, parameters } = call;
  const { id } = knownUser(call);
  const limit = parameters.integerWithin("limit", 1, personalMessagesMax, personalMessagesMax);
  const chat = account.rooms.get(id)?.profile["personal_chat"] as Chat | undefined;
  const messages = chat && account.rooms.get(chat.id)?.messages();
  return [...(messages ?? [])].slice(-limit);
}

export function getUserChatBoosts(call: Call): unknown {
  const id = userId(call);
  const room = roomFor(call, "write");
  if (room.isPrivate) throw badRequest("can't get boosts of the chat");
  userWith(call, id);
  return { boosts: room.members.boosts.get(id) ?? [] };
}

export function verifyUser(call: Call): true {
  return verify(call, knownUser(call).id);
}

export function verifyChat(call: Call): true {
  return verify(call, roomFor(call, "read").id);
}

function verify({ account, parameters }: Call, id: number): true {
  const description = parameters.text("custom_description");
  if ([...description].length > descriptionLengthMax) throw badRequest("DESCRIPTION_TOO_LONG");
  account.settings.set(`verified:${id}`, description);
  account.changed({ kind: "chat", chatId: id });
  return true;
}

export function removeUserVerification(call: Call): true {
  return removeVerification(call, userId(call));
}

export function removeChatVerification(call: Call): true {
  return removeVerification(call, roomFor(call, "read").id);
}

function removeVerification({ account }: Call, id: number): true {
  account.settings.delete(`verified:${id}`);
  account.changed({ kind: "chat", chatId: id });
  return true;
}

/** The words with which the bot has verified a person or a chat; the API does not tell them. */
export function verificationOf({ settings }: Account, id: number): string | undefined {
  return settings.get(`verified:${id}`) as string | undefined;
}

const passportSources: ReadonlySet<string> = new Set([
  "data",
  "front_side",
  "reverse_side",
  "selfie",
  "file",
  "files",
  "translation_file",
  "translation_files",
  "unspecified",
]);

export function setPassportDataErrors(call: Call): true {
  const id = userId(call);
  const errors = arrayIn(call, "errors", { malformed: "errors", items: "PassportElementError" });
  for (const error of errors) {
    const problem = (text: string) => badRequest(`can't parse PassportElementError: ${text}`);
    if (!isRecord(error)) throw problem("expected an Object");
    if (typeof error["type"] !== "string") throw problem('Can\'t find field "type"');
    if (typeof error["message"] !== "string") throw problem('Can\'t find field "message"');
    if (!passportSources.has(String(error["source"]))) throw problem("wrong source specified");
  }
  userWith(call, id);
  call.account.settings.set(`passport-errors:${id}`, errors);
  return true;
}
