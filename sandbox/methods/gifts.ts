/**
 * Gifts: methods that buy, list, upgrade and pass on gifts, and that give Premium.
 *
 * Source: Bot API, sendGift, getBusinessAccountGifts, upgradeGift, transferGift and convertGiftToStars.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { formatText } from "../text/formatted-text.ts";
import { type GiftKind, giftKinds, type OwnedGift } from "../world/gifts.ts";
import { businessConnection, type Call, knownUser, roomFor } from "./call.ts";

/** Stars for 3, 6 and 12 months. Source: Bot API, giftPremiumSubscription. */
const premiumPrices: Readonly<Record<number, number>> = { 3: 1_000, 6: 1_500, 12: 2_500 };
const textLengthMax = 128;

export function getAvailableGifts(): unknown {
  return { gifts: giftKinds.map(giftObject) };
}

function giftObject({ id, emoji, starCount, upgradeStarCount }: GiftKind): object {
  const file = { file_id: `CAACgift${id}`, file_unique_id: `AgADgift${id.slice(-6)}` };
  const shape = {
    type: "custom_emoji",
    width: 512,
    height: 512,
    is_animated: true,
    is_video: false,
  };
  return {
    id,
    sticker: { ...file, ...shape, emoji },
    star_count: starCount,
    ...(upgradeStarCount ? { upgrade_star_count: upgradeStarCount } : {}),
  };
}

export function sendGift(call: Call): true {
  const { account, around, parameters } = call;
  const id = parameters.text("gift_id");
  const text = readText(call);
  const inChat = parameters.raw("chat_id") !== undefined;
  const ownerId = inChat ? roomFor(call, "read").id : knownUser(call).id;
  const kind = giftKinds.find((known) => known.id === id);
  if (!kind) throw badRequest("STARGIFT_INVALID");
  const upgrade = parameters.boolean("pay_for_upgrade") ? (kind.upgradeStarCount ?? 0) : 0;
  const atEpochS = around.clock.epochS();
  const giftId = randomId(around.random);
  account.payments.spend({
    id: giftId,
    amount: kind.starCount + upgrade,
    atEpochS,
    partner: partner(call, ownerId),
  });
  account.gifts.add({ id: giftId, ownerId, kind, sender: account.me, atEpochS, text });
  const room = account.rooms.get(ownerId);
  if (room)
    account.post(room, account.me, { gift: { gift: giftObject(kind), ...(text ? { text } : {}) } });
  return true;
}

export function giftPremiumSubscription(call: Call): true {
  const { account, around, parameters } = call;
  const user = knownUserAfterText(call);
  const months = parameters.integerWithin("month_count", 0, 1_000, 0);
  const price = premiumPrices[months];
  if (price === undefined || price !== parameters.integer("star_count")) {
    throw badRequest("PREMIUM_GIFT_OPTION_INVALID");
  }
  const id = randomId(around.random);
  account.payments.spend({
    id,
    amount: price,
    atEpochS: around.clock.epochS(),
    partner: partner(call, user.id),
  });
  around.users.set(user.id, { ...user, is_premium: true });
  return true;
}

function knownUserAfterText(call: Call) {
  const user = knownUser(call);
  readText(call);
  return user;
}

function readText({ parameters }: Call): string {
  const mode = parameters.text("text_parse_mode");
  const entities = parameters.jsonOrNothing("text_entities");
  const { text } = formatText(parameters.text("text"), mode, entities);
  if ([...text].length > textLengthMax) throw badRequest("GIFT_MESSAGE_TOO_LONG");
  return text;
}

function partner({ account, around }: Call, ownerId: number): object {
  const user = around.users.get(ownerId);
  if (user) return { type: "user", transaction_type: "gift_purchase", user };
  const chat = account.rooms.get(ownerId)?.chat;
  return chat ? { type: "chat", chat } : { type: "other" };
}

export function getUserGifts(call: Call): unknown {
  return giftsOf(call, knownUser(call).id);
}

export function getChatGifts(call: Call): unknown {
  return giftsOf(call, roomFor(call, "read").id);
}

export function getBusinessAccountGifts(call: Call): unknown {
  return giftsOf(call, businessConnection(call, "can_view_gifts_and_stars").user.id, true);
}

/** @param own Whether the gifts may be managed, which shows their ids. */
function giftsOf({ account, parameters }: Call, ownerId: number, own = false): unknown {
  const unwanted = (gift: OwnedGift) =>
    (gift.number === undefined && parameters.boolean("exclude_unlimited")) ||
    (gift.number !== undefined && parameters.boolean("exclude_unique"));
  const all = account.gifts.of(ownerId).filter((gift) => !unwanted(gift));
  if (parameters.boolean("sort_by_price")) {
    (all as OwnedGift[]).sort((a, b) => b.kind.starCount - a.kind.starCount);
  }
  const offset = parameters.integer("offset");
  const limit = parameters.integerWithin("limit", 1, 100, 100);
  const next = offset + limit < all.length ? { next_offset: String(offset + limit) } : {};
  const page = all.slice(offset, offset + limit);
  return { total_count: all.length, gifts: page.map((gift) => ownedObject(gift, own)), ...next };
}

function ownedObject(gift: OwnedGift, own: boolean): object {
  const { atEpochS, id, kind, number, sender, text } = gift;
  const head = {
    ...(own ? { owned_gift_id: id } : {}),
    sender_user: sender,
    send_date: atEpochS,
    is_saved: true,
  };
  if (number === undefined) {
    return {
      type: "regular",
      gift: giftObject(kind),
      ...head,
      ...(text ? { text } : {}),
      ...(kind.upgradeStarCount ? { can_be_upgraded: true } : {}),
      convert_star_count: Math.floor(kind.starCount * 0.85),
    };
  }
  const name = `Sandbox-${number}`;
  return {
    type: "unique",
    gift: uniqueGift(kind, name, number),
    ...head,
    can_be_transferred: true,
  };
}

function uniqueGift(kind: GiftKind, name: string, number: number): object {
  const { sticker } = giftObject(kind) as { sticker: object };
  const part = (label: string) => ({ name: label, sticker, rarity_per_mille: 20 });
  const colors = {
    center_color: 0x63b1ff,
    edge_color: 0x2d7cd1,
    symbol_color: 0x0a3d74,
    text_color: 0xffffff,
  };
  const backdrop = { name: "Blue", colors, rarity_per_mille: 20 };
  const base = { gift_id: kind.id, base_name: "Sandbox", name, number };
  return { ...base, model: part("Plain"), symbol: part("Star"), backdrop };
}

export function convertGiftToStars(call: Call): true {
  const connection = businessConnection(call, "can_convert_gifts_to_stars");
  const gift = ownGift(call, connection.user.id);
  if (gift.number !== undefined) throw badRequest("STARGIFT_CONVERT_UNAVAILABLE");
  connection.stars += Math.floor(gift.kind.starCount * 0.85);
  call.account.gifts.remove(gift.id);
  return true;
}

export function upgradeGift(call: Call): true {
  const connection = businessConnection(call, "can_transfer_and_upgrade_gifts");
  const gift = ownGift(call, connection.user.id);
  const price = gift.kind.upgradeStarCount;
  if (price === undefined || gift.number !== undefined)
    throw badRequest("STARGIFT_UPGRADE_UNAVAILABLE");
  if (call.parameters.integer("star_count") !== price)
    throw badRequest("STARGIFT_UPGRADE_PRICE_INVALID");
  if (connection.stars < price) throw badRequest("BALANCE_TOO_LOW");
  connection.stars -= price;
  call.account.gifts.upgrade(gift);
  return true;
}

/** Only an upgraded gift can be passed on. */
export function transferGift(call: Call): true {
  const connection = businessConnection(call, "can_transfer_and_upgrade_gifts");
  const ownerId = call.parameters.integer("new_owner_chat_id");
  if (ownerId === 0) throw badRequest("chat identifier is empty");
  if (!call.around.users.has(ownerId) && !call.account.rooms.has(ownerId)) {
    throw badRequest("chat not found");
  }
  const gift = ownGift(call, connection.user.id);
  if (gift.number === undefined) throw badRequest("STARGIFT_NOT_UNIQUE");
  gift.ownerId = ownerId;
  return true;
}

function ownGift({ account, parameters }: Call, ownerId: number): OwnedGift {
  const gift = account.gifts.get(parameters.text("owned_gift_id"));
  if (gift?.ownerId !== ownerId) throw badRequest("STARGIFT_OWNER_INVALID");
  return gift;
}
