/**
 * Chat profile: methods that change a chat's title, description, photo and sticker set.
 *
 * Source: Bot API; error texts of tdlib/telegram-bot-api, Client.cpp, and tdlib/td, DialogManager.cpp.
 */
import { badRequest } from "../http/answer.ts";
import type { Room } from "../world/room.ts";
import { type Call, needRight, roomFor } from "./call.ts";
import { photoSizes } from "./media.ts";

const titleLengthMax = 128;
const descriptionLengthMax = 255;

export function setChatTitle(call: Call): true {
  const { account, parameters } = call;
  const room = changeable(call, "title");
  const title = parameters.text("title").trim();
  if (title === "") throw badRequest("title can't be empty");
  const cut = [...title].slice(0, titleLengthMax).join("");
  if (cut === room.chat.title) return true;
  room.chat = { ...room.chat, title: cut };
  account.post(room, account.me, { new_chat_title: cut });
  return shown(call, room);
}

export function setChatDescription(call: Call): true {
  const room = changeable(call, "description");
  const given = call.parameters.text("description").trim();
  const description = [...given].slice(0, descriptionLengthMax).join("");
  if (description === (room.profile["description"] ?? "")) {
    throw badRequest("chat description is not modified");
  }
  if (description === "") delete room.profile["description"];
  else room.profile["description"] = description;
  return shown(call, room);
}

export function setChatPhoto(call: Call): true {
  const { account, parameters } = call;
  const upload = parameters.file("photo");
  if (!upload) {
    const text = parameters.text("photo");
    const problem =
      text === "" ? "there is no photo in the request" : "photo must be uploaded as an InputFile";
    throw badRequest(problem);
  }
  const room = changeable(call, "photo");
  const small = account.files.upload("profile_photos", upload);
  const sizes = photoSizes(small);
  room.profile["photo"] = {
    small_file_id: small.file_id,
    small_file_unique_id: small.file_unique_id,
    big_file_id: small.file_id,
    big_file_unique_id: small.file_unique_id,
  };
  account.post(room, account.me, { new_chat_photo: sizes });
  return shown(call, room);
}

export function deleteChatPhoto(call: Call): true {
  const room = changeable(call, "photo");
  if (!room.profile["photo"]) return true;
  delete room.profile["photo"];
  call.account.post(room, call.account.me, { delete_chat_photo: true });
  return shown(call, room);
}

export function setChatStickerSet(call: Call): true {
  const name = call.parameters.text("sticker_set_name");
  const room = supergroup(call);
  if (name === "") throw badRequest("sticker_set_name is empty");
  const set = call.account.stickerSets.get(name);
  if (!set) throw badRequest("STICKERSET_INVALID");
  room.profile["sticker_set_name"] = set.name;
  room.profile["can_set_sticker_set"] = true;
  return true;
}

export function deleteChatStickerSet(call: Call): true {
  delete supergroup(call).profile["sticker_set_name"];
  return true;
}

function supergroup(call: Call): Room {
  const room = roomFor(call, "write");
  if (room.chat.type !== "supergroup") throw badRequest("method is available only for supergroups");
  needRight(call, room, "can_change_info", "not enough rights to change the sticker set");
  return room;
}

function changeable(call: Call, what: string): Room {
  const room = roomFor(call, "write");
  if (room.isPrivate) throw badRequest(`can't change private chat ${what}`);
  const verb = what === "description" ? "set" : "change";
  needRight(call, room, "can_change_info", `not enough rights to ${verb} chat ${what}`);
  return room;
}

function shown({ account }: Call, room: Room): true {
  account.changed({ kind: "chat", ...room.place });
  return true;
}
