/**
 * Business: methods that act for an account which has connected the bot.
 *
 * Source: Bot API, BusinessConnection and BusinessBotRights.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import { connectionObject } from "../world/business.ts";
import type { StoredFile } from "../world/file-store.ts";
import { businessConnection, businessRoom, type Call, messageId, objectIn } from "./call.ts";
import { readMessageIds } from "./editing.ts";
import { photoSizes, storedFile } from "./media.ts";

export function getBusinessConnection(call: Call): unknown {
  return connectionObject(businessConnection(call));
}

export function readBusinessMessage(call: Call): true {
  const connection = businessConnection(call, "can_read_messages");
  const room = businessRoom(call, connection, call.parameters.integer("chat_id"));
  const id = messageId(call);
  if (!room.message(id)) throw badRequest("MESSAGE_ID_INVALID");
  room.readMessageId = Math.max(room.readMessageId, id);
  call.account.changed({ kind: "chat", ...room.place });
  return true;
}

export function deleteBusinessMessages(call: Call): true {
  const ids = readMessageIds(call);
  const connection = businessConnection(call);
  const { rights } = connection;
  if (!rights["can_delete_all_messages"] && !rights["can_delete_outgoing_messages"]) {
    throw badRequest("BOT_ACCESS_FORBIDDEN");
  }
  for (const room of connection.rooms.values()) for (const id of ids) room.remove(id);
  return true;
}

export function setBusinessAccountName(call: Call): true {
  const first_name = call.parameters.required("first_name");
  const last_name = call.parameters.text("last_name");
  const connection = businessConnection(call, "can_edit_name");
  const { last_name: _, ...user } = connection.user;
  return rename(call, { ...user, first_name, ...(last_name ? { last_name } : {}) });
}

export function setBusinessAccountUsername(call: Call): true {
  const username = call.parameters.text("username");
  const connection = businessConnection(call, "can_edit_username");
  if (username !== "" && !/^[A-Za-z]\w{3,31}$/.test(username)) throw badRequest("USERNAME_INVALID");
  const { username: _, ...user } = connection.user;
  return rename(call, { ...user, ...(username ? { username } : {}) });
}

function rename(call: Call, user: Parameters<typeof call.around.users.set>[1]): true {
  businessConnection(call).user = user;
  call.around.users.set(user.id, user);
  return true;
}

export function setBusinessAccountBio(call: Call): true {
  const connection = businessConnection(call, "can_edit_bio");
  const bio = call.parameters.text("bio");
  if ([...bio].length > 140) throw badRequest("ABOUT_TOO_LONG");
  connection.profile["bio"] = bio;
  const room = call.account.rooms.get(connection.user.id);
  if (room) room.profile["bio"] = bio;
  return true;
}

export function setBusinessAccountProfilePhoto(call: Call): true {
  const photo = readProfilePhoto(call);
  const connection = businessConnection(call, "can_edit_profile_photo");
  const place = `photos:${connection.user.id}`;
  call.account.settings.set(place, [
    photoSizes(photo),
    ...profilePhotos(call.account, connection.user.id),
  ]);
  return true;
}

export function removeBusinessAccountProfilePhoto(call: Call): true {
  const connection = businessConnection(call, "can_edit_profile_photo");
  const [, ...rest] = profilePhotos(call.account, connection.user.id);
  call.account.settings.set(`photos:${connection.user.id}`, rest);
  return true;
}

/** The photos of a user or the bot, the latest first. */
export function profilePhotos({ settings }: Account, userId: number): readonly ProfilePhoto[] {
  return (settings.get(`photos:${userId}`) as readonly ProfilePhoto[] | undefined) ?? [];
}

type ProfilePhoto = ReturnType<typeof photoSizes>;

/** The `file_id` of what stands beside a name; undefined when there is none. */
export function latestProfilePhoto(account: Account, userId: number): string | undefined {
  return profilePhotos(account, userId)[0]?.at(-1)?.file_id;
}

/** An `InputProfilePhoto`. Throws Telegram's errors. */
export function readProfilePhoto(call: Call): StoredFile {
  const value = call.parameters.json("photo", "can't parse photo JSON object");
  if (value === undefined) throw badRequest("photo isn't specified");
  if (!isRecord(value)) throw badRequest("object expected as profile photo");
  const { animation, photo, type } = value;
  if (type !== "static" && type !== "animated")
    throw badRequest("invalid profile photo type specified");
  const name = type === "static" ? photo : animation;
  if (typeof name !== "string" || !name.startsWith("attach://")) {
    throw badRequest("photo must be uploaded as a file");
  }
  return storedFile(call, "profile_photos", name);
}

export function setBusinessAccountGiftSettings(call: Call): true {
  const types = objectIn(call, "accepted_gift_types", "accepted gift types");
  if (!types) throw badRequest("accepted gift types aren't specified");
  const connection = businessConnection(call, "can_change_gift_settings");
  const show = call.parameters.boolean("show_gift_button");
  connection.profile["gift_settings"] = { show_gift_button: show, accepted_gift_types: types };
  const room = call.account.rooms.get(connection.user.id);
  if (room) room.profile["accepted_gift_types"] = types;
  return true;
}

export function getBusinessAccountStarBalance(call: Call): unknown {
  return { amount: businessConnection(call, "can_view_gifts_and_stars").stars };
}

/** Moves the account's Stars to the bot. */
export function transferBusinessAccountStars(call: Call): true {
  const { account, around, parameters } = call;
  const connection = businessConnection(call, "can_transfer_stars");
  const amount = parameters.integerWithin("star_count", 0, 1_000_000_000, 0);
  if (amount < 1 || amount > 10_000) throw badRequest("STARS_AMOUNT_INVALID");
  if (amount > connection.stars) throw badRequest("BALANCE_TOO_LOW");
  connection.stars -= amount;
  const partner = {
    type: "user",
    transaction_type: "business_account_transfer",
    user: connection.user,
  };
  const id = randomId(around.random);
  account.payments.receive({ id, amount, atEpochS: around.clock.epochS(), partner });
  return true;
}
