/** Attachments: the content of a message that a person sends beside text. */
import type { Attachment } from "../control-api.ts";
import { fileContent, isFileKind } from "../methods/media.ts";
import { diceContent } from "../methods/simple-content.ts";
import { randomId } from "../random.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account, MessageContent, Surroundings } from "../world/account.ts";
import type { Poll } from "../world/poll-rules.ts";
import type { Room } from "../world/room.ts";
import { ControlError, integerIn, textIn } from "./control-error.ts";

interface Place {
  readonly account: Account;
  readonly around: Surroundings;
  readonly room: Room;
}

type Of<Kind extends Attachment["kind"]> = Extract<Attachment, { readonly kind: Kind }>;

export function attachmentContent(place: Place, given: Attachment): MessageContent {
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
    case "dice":
      return thrownDice(place, given);
    case "poll":
      return { poll: ownPoll(place, given) };
    case "users":
      return sharedUsers(place, given);
    case "chat":
      return sharedChat(place, given);
    default: {
      if (!isFileKind(given.kind)) throw new ControlError(400, "attachment.kind is not known");
      const content = Buffer.from(textIn(given, "content"), "base64");
      const fileName = typeof given.fileName === "string" ? given.fileName : "";
      return fileContent(place.account.files, given.kind, { fileName, content });
    }
  }
}

function degrees(given: Readonly<Record<string, unknown>>, most: 90 | 180): number {
  const name = most === 90 ? "latitude" : "longitude";
  const value = given[name];
  if (typeof value === "number" && Math.abs(value) <= most) return value;
  throw new ControlError(400, `${name} must be a number from -${most} to ${most}`);
}

function thrownDice({ around }: Place, { emoji = "🎲" }: Of<"dice">): MessageContent {
  const content = diceContent(around.random, emoji);
  if (!content) throw new ControlError(400, "attachment.emoji is no dice");
  return content;
}

function ownPoll({ around }: Place, given: Of<"poll">): Poll {
  const { anonymous = true, correct, options } = given;
  if (!Array.isArray(options) || options.length === 0 || !options.every(isFilled)) {
    throw new ControlError(400, "attachment.options must be a list of texts");
  }
  const quiz = correct !== undefined;
  if (quiz) integerIn({ correct }, "correct", 0, options.length - 1);
  return {
    id: randomId(around.random),
    question: textIn({ ...given }, "question"),
    options: options.map((text, index) => ({
      persistent_id: String(index + 1),
      text,
      voter_count: 0,
    })),
    total_voter_count: 0,
    is_closed: false,
    is_anonymous: anonymous,
    type: quiz ? "quiz" : "regular",
    allows_multiple_answers: false,
    allows_revoting: !quiz,
    members_only: false,
    // Telegram does not tell a bot the answer to somebody else's quiz.
  };
}

function isFilled(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

/** Source: Bot API, UsersShared. A bot gets the names that its button asked for. */
function sharedUsers({ around, room }: Place, given: Of<"users">): MessageContent {
  const asked = requestIn(room, "request_users", given.requestId);
  const ids = given.userIds;
  const most = Number(asked["max_quantity"] ?? 1);
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > most) {
    throw new ControlError(400, `attachment.userIds must name from 1 to ${most} people`);
  }
  const users = ids.map((user_id) => {
    const user = around.users.get(user_id);
    if (!user) throw new ControlError(404, `no user ${user_id}`);
    const { first_name, username } = user;
    return {
      user_id,
      ...(asked["request_name"] ? { first_name } : {}),
      ...(asked["request_username"] && username ? { username } : {}),
    };
  });
  const user_ids = users.map(({ user_id }) => user_id);
  return { users_shared: { user_ids, users, request_id: given.requestId } };
}

/** Source: Bot API, ChatShared. */
function sharedChat({ account, room }: Place, given: Of<"chat">): MessageContent {
  const asked = requestIn(room, "request_chat", given.requestId);
  const shared = account.rooms.get(given.sharedChatId);
  if (!shared || shared.isPrivate) throw new ControlError(404, `no group ${given.sharedChatId}`);
  const { id: chat_id, title, username } = shared.chat;
  const told = {
    ...(asked["request_title"] ? { title } : {}),
    ...(asked["request_username"] && username ? { username } : {}),
  };
  return { chat_shared: { chat_id, ...told, request_id: given.requestId } };
}

/** What a button of the reply keyboard asks for. */
function requestIn(room: Room, field: string, requestId: number) {
  const rows = room.keyboard?.markup["keyboard"];
  const buttons: readonly unknown[] = Array.isArray(rows) ? rows.flat() : [];
  for (const button of buttons) {
    const asked = isRecord(button) ? button[field] : undefined;
    if (isRecord(asked) && asked["request_id"] === requestId) return asked;
  }
  throw new ControlError(400, `no button of the keyboard has ${field} with this requestId`);
}
