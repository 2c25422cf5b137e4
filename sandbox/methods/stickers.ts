/**
 * Stickers: methods that make, change and read sticker sets.
 *
 * Source: Bot API, StickerSet and InputSticker; error texts of tdlib/telegram-bot-api, Client.cpp.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { StoredFile } from "../world/file-store.ts";
import {
  type Sticker,
  type StickerSet,
  type StickerType,
  stickerObject,
} from "../world/sticker-sets.ts";
import { arrayIn, type Call, knownUser } from "./call.ts";
import { sizeOf, storedFile } from "./media.ts";

const stickersMax = 50;
const emojisMax = 20;
const formats = ["static", "animated", "video"];
const types: readonly StickerType[] = ["regular", "mask", "custom_emoji"];

export function getStickerSet({ account, parameters }: Call): unknown {
  const set = account.stickerSets.get(parameters.text("name"));
  if (!set) throw badRequest("STICKERSET_INVALID");
  const { name, title, type, stickers, thumbnail } = set;
  return {
    name,
    title,
    ...(thumbnail ? { thumbnail: { ...sizeOf(thumbnail), width: 100, height: 100 } } : {}),
    sticker_type: type,
    stickers: stickers.map((sticker) => stickerObject(sticker, set)),
  };
}

/** Ids that no sticker has are left out. */
export function getCustomEmojiStickers(call: Call): unknown {
  call.parameters.required("custom_emoji_ids");
  const ids = arrayIn(call, "custom_emoji_ids", {
    malformed: "custom emoji identifiers",
    items: "custom emoji identifiers",
  });
  return ids.flatMap((id) => {
    if (typeof id !== "string") throw badRequest("custom emoji identifier must be of type String");
    if (!/^-?\d+$/.test(id)) throw badRequest("invalid custom emoji identifier specified");
    const found = call.account.stickerSets.customEmoji(id);
    return found ? [stickerObject(found.sticker, found.set)] : [];
  });
}

export function uploadStickerFile(call: Call): unknown {
  knownUser(call);
  checkFormat(call.parameters.text("sticker_format"));
  const upload = call.parameters.file("sticker");
  if (!upload) throw badRequest("sticker is not specified");
  return sizeOf(call.account.files.upload("stickers", upload));
}

export function createNewStickerSet(call: Call): true {
  const { account, parameters } = call;
  knownUser(call);
  const type = (parameters.text("sticker_type") || "regular") as StickerType;
  const stickers = arrayIn(call, "stickers", { malformed: "stickers", items: "InputSticker" });
  if (stickers.length > stickersMax) throw badRequest("too many stickers specified");
  if (!types.includes(type)) throw badRequest("unsupported sticker type specified");
  const read = stickers.map((sticker) => readSticker(call, sticker, type));
  const name = parameters.text("name");
  if (parameters.text("title").trim() === "") throw badRequest("PACK_TITLE_INVALID");
  const ending = `_by_${account.me.username}`.toLowerCase();
  const lower = name.toLowerCase();
  if (!/^[a-z]\w*$/.test(lower) || lower.includes("__") || !lower.endsWith(ending)) {
    throw badRequest("PACK_SHORT_NAME_INVALID");
  }
  if (account.stickerSets.get(name)) throw badRequest("PACK_SHORT_NAME_OCCUPIED");
  if (read.length === 0) throw badRequest("STICKERS_EMPTY");
  account.stickerSets.put({ name, title: parameters.text("title"), type, stickers: read });
  return true;
}

export function addStickerToSet(call: Call): true {
  knownUser(call);
  const value = stickerJson(call);
  const set = ownSet(call);
  if (set.stickers.length >= 120) throw badRequest("STICKERS_TOO_MUCH");
  const sticker = readSticker(call, value, set.type);
  call.account.stickerSets.put({ ...set, stickers: [...set.stickers, sticker] });
  return true;
}

export function replaceStickerInSet(call: Call): true {
  knownUser(call);
  const value = stickerJson(call);
  const set = ownSet(call);
  const old = call.parameters.text("old_sticker");
  const index = set.stickers.findIndex(({ file }) => file.file_id === old);
  if (index < 0) throw badRequest("STICKER_INVALID");
  const stickers = set.stickers.with(index, readSticker(call, value, set.type));
  call.account.stickerSets.put({ ...set, stickers });
  return true;
}

export function setStickerPositionInSet(call: Call): true {
  const { index, set, sticker } = stickerIn(call);
  const position = call.parameters.integer("position");
  if (call.parameters.text("position") === "" || position < 0)
    throw badRequest("STICKER_POSITION_INVALID");
  const stickers = set.stickers.toSpliced(index, 1).toSpliced(position, 0, sticker);
  call.account.stickerSets.put({ ...set, stickers });
  return true;
}

export function deleteStickerFromSet(call: Call): true {
  const { index, set } = stickerIn(call);
  call.account.stickerSets.put({ ...set, stickers: set.stickers.toSpliced(index, 1) });
  return true;
}

export function setStickerEmojiList(call: Call): true {
  const emojis = call.parameters.json("emoji_list", "can't parse emoji list JSON array");
  return update(call, { emojis: checkedEmojis(emojis) });
}

export function setStickerKeywords(call: Call): true {
  const keywords = call.parameters.json("keywords", "can't parse keywords JSON object") ?? [];
  if (!Array.isArray(keywords)) throw badRequest('field "keywords" must be an Array');
  return update(call, { keywords: keywords.map(checkedKeyword) });
}

export function setStickerMaskPosition(call: Call): true {
  const value = call.parameters.json("mask_position", "can't parse mask position JSON object");
  const maskPosition = value === undefined || value === null ? undefined : checkedMask(value);
  if (stickerIn(call).set.type !== "mask") throw badRequest("STICKER_INVALID");
  return update(call, { maskPosition });
}

export function setStickerSetTitle(call: Call): true {
  const set = ownSet(call);
  const title = call.parameters.text("title").trim();
  if (title === "" || [...title].length > 64) throw badRequest("PACK_TITLE_INVALID");
  call.account.stickerSets.put({ ...set, title });
  return true;
}

/** Without a thumbnail the first sticker stands for the set. */
export function setStickerSetThumbnail(call: Call): true {
  const { account, parameters } = call;
  checkFormat(parameters.text("format") || "static");
  knownUser(call);
  const { thumbnail: _, ...set } = ownSet(call);
  const upload = parameters.file("thumbnail");
  const name = parameters.text("thumbnail");
  const thumbnail = upload
    ? account.files.upload("thumbnails", upload)
    : name === ""
      ? undefined
      : storedFile(call, "thumbnails", name);
  account.stickerSets.put({ ...set, ...(thumbnail ? { thumbnail } : {}) });
  return true;
}

export function setCustomEmojiStickerSetThumbnail(call: Call): true {
  const { thumbnail, ...set } = ownSet(call);
  if (set.type !== "custom_emoji") throw badRequest("STICKERSET_INVALID");
  const id = call.parameters.text("custom_emoji_id");
  const sticker = set.stickers.find(({ customEmojiId }) => customEmojiId === id);
  if (id !== "" && !sticker) throw badRequest("STICKER_INVALID");
  call.account.stickerSets.put({ ...set, ...(sticker ? { thumbnail: sticker.file } : {}) });
  return true;
}

export function deleteStickerSet(call: Call): true {
  call.account.stickerSets.remove(ownSet(call).name);
  return true;
}

function ownSet({ account, parameters }: Call): StickerSet {
  const set = account.stickerSets.get(parameters.text("name"));
  if (!set) throw badRequest("STICKERSET_INVALID");
  return set;
}

function stickerIn({ account, parameters }: Call) {
  const id = parameters.text("sticker");
  if (id === "") throw badRequest("sticker is not specified");
  if (!account.files.get(id)) throw badRequest("wrong file identifier/HTTP URL specified");
  const set = account.stickerSets.withFile(id);
  const index = set?.stickers.findIndex(({ file }) => file.file_id === id) ?? -1;
  const sticker = set?.stickers[index];
  if (!set || !sticker) throw badRequest("STICKER_INVALID");
  return { set, index, sticker };
}

function update(call: Call, fields: Partial<Sticker>): true {
  const { index, set, sticker } = stickerIn(call);
  call.account.stickerSets.put({
    ...set,
    stickers: set.stickers.with(index, { ...sticker, ...fields }),
  });
  return true;
}

function stickerJson({ parameters }: Call): unknown {
  const value = parameters.json("sticker", "can't parse sticker JSON object");
  if (value === undefined) throw badRequest("can't parse sticker JSON object");
  return value;
}

function readSticker(call: Call, value: unknown, type: StickerType): Sticker {
  const problem = (text: string) => badRequest(`can't parse InputSticker: ${text}`);
  if (!isRecord(value)) throw problem("InputSticker must be an Object");
  const { sticker, format, emoji_list, keywords, mask_position } = value;
  if (typeof sticker !== "string" || sticker === "") throw problem("sticker not found");
  const file: StoredFile = storedFile(call, "stickers", sticker);
  const customEmojiId = type === "custom_emoji" ? randomId(call.around.random) : undefined;
  return {
    file,
    format: checkFormat(String(format ?? "static")),
    emojis: checkedEmojis(emoji_list),
    keywords: Array.isArray(keywords) ? keywords.map(checkedKeyword) : [],
    ...(customEmojiId ? { customEmojiId } : {}),
    ...(mask_position ? { maskPosition: checkedMask(mask_position) } : {}),
  };
}

function checkFormat(format: string): string {
  if (!formats.includes(format)) throw badRequest("invalid sticker format specified");
  return format;
}

function checkedEmojis(value: unknown): readonly string[] {
  const problem = (text: string) => badRequest(`can't parse emoji list: ${text}`);
  if (!Array.isArray(value)) throw problem("expected an Array of string");
  if (value.length === 0) throw problem("emoji list must be non-empty");
  if (value.length > emojisMax) throw problem("too many emoji specified");
  return value.map((emoji: unknown) => {
    if (typeof emoji !== "string") throw problem("emoji must be a string");
    if (
      !/\p{Extended_Pictographic}|\p{Emoji_Presentation}|\p{Regional_Indicator}|[#*\d]\uFE0F?\u20E3/u.test(
        emoji,
      )
    ) {
      throw problem("expected a Unicode emoji");
    }
    return emoji;
  });
}

function checkedKeyword(keyword: unknown): string {
  if (typeof keyword !== "string") throw badRequest("keyword must be a string");
  return keyword;
}

function checkedMask(value: unknown): unknown {
  const problem = (text: string) => badRequest(`can't parse mask position: ${text}`);
  if (!isRecord(value)) throw problem("MaskPosition must be an Object");
  if (!["forehead", "eyes", "mouth", "chin"].includes(String(value["point"]))) {
    throw problem("wrong point specified in MaskPosition");
  }
  return value;
}
